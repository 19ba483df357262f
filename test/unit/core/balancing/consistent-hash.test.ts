import { describe, expect, test } from "vitest";
import { seededRandom } from "./random.ts";
import { candidates, choose } from "./support.ts";

const keys = Array.from({ length: 100_000 }, (_, index) => `user-${index}`);
const pool = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `users-${index}`, weight: 1 }));
const ownerOf = (list: readonly { readonly id: string; readonly weight: number }[], hashKey: string) =>
  choose("consistent-hash", list, { hashKey })!.id;

/** Within 4 sigma of the share of all keys. */
function expectShare(count: number, share: number): void {
  const sigma = Math.sqrt(keys.length * share * (1 - share));
  expect(Math.abs(count - keys.length * share)).toBeLessThanOrEqual(4 * sigma);
}

describe("consistent-hash", () => {
  test.each([4, 10, 50])(
    "of %d origins one leaves: only its keys move, at most 1/n and a twentieth, to all others alike",
    (n) => {
      const list = pool(n);
      const rest = list.slice(1);
      const received = new Map(rest.map(({ id }) => [id, 0]));
      let moved = 0;
      for (const key of keys) {
        const before = ownerOf(list, key);
        const after = ownerOf(rest, key);
        if (before === after) continue;
        expect(before).toBe("users-0");
        received.set(after, received.get(after)! + 1);
        moved++;
      }
      expect(moved / keys.length).toBeLessThan(1 / n + 0.05);
      expectShare(moved, 1 / n);
      for (const count of received.values()) expectShare(count, 1 / n / (n - 1));
    },
    30_000,
  );

  test("a key whose hash with the heaviest origin is the smallest is still scored by it", () => {
    // Of hashes 1 and 0 with the first origin.
    expect(
      ownerOf(
        [
          { id: "eu-1", weight: 100 },
          { id: "eu-2", weight: 1 },
        ],
        "kkkbEx`S",
      ),
    ).toBe("eu-1");
    expect(
      ownerOf(
        [
          { id: "eu-1", weight: 1_000 },
          { id: "eu-2", weight: 1 },
        ],
        "kkk2#$qa",
      ),
    ).toBe("eu-1");
  });

  test("each origin owns keys by its weight, and a weight that grows takes keys from others only", () => {
    const before = candidates([1, 2, 5]);
    const after = candidates([3, 2, 5]);
    const counts = new Map(before.map(({ id }) => [id, 0]));
    for (const key of keys) {
      const owner = ownerOf(before, key);
      counts.set(owner, counts.get(owner)! + 1);
      const later = ownerOf(after, key);
      if (later !== owner) expect(later).toBe("a");
    }
    for (const { id, weight } of before) expectShare(counts.get(id)!, weight / 8);
  });

  test("the order of the origins does not matter, nor what the isolate has seen", () => {
    const list = pool(10);
    const random = seededRandom(5);
    for (const hashKey of keys.slice(0, 1_000)) {
      const shuffled = list.map((origin) => ({ origin, at: random() })).sort((a, b) => a.at - b.at);
      expect(
        ownerOf(
          shuffled.map(({ origin }) => origin),
          hashKey,
        ),
      ).toBe(ownerOf(list, hashKey));
    }
  });

  test("a retry goes where the key would go if the origins that were tried had left", () => {
    const list = pool(10);
    for (const hashKey of keys.slice(0, 1_000)) {
      const tried = new Set<string>();
      for (let left = list.length; left > 0; left--) {
        const rest = list.filter(({ id }) => !tried.has(id));
        const { id } = choose("consistent-hash", list, { hashKey, tried })!;
        expect(id).toBe(ownerOf(rest, hashKey));
        tried.add(id);
      }
      expect(tried.size).toBe(10);
    }
  });

  test("keys that came lately are found again without asking the origins", () => {
    let asked = 0;
    const list = pool(10).map(({ id, weight }) => ({
      get id() {
        asked++;
        return id;
      },
      weight,
    }));
    const lately = keys.slice(0, 400);
    const owners = lately.map((hashKey) => choose("consistent-hash", list, { hashKey }));
    expect(asked).toBe(lately.length * list.length);
    asked = 0;
    expect(lately.map((hashKey) => choose("consistent-hash", list, { hashKey }))).toEqual(owners);
    expect(asked).toBeLessThan(0.05 * lately.length * list.length);
  });

  test("keys keep their origins from one release to the next", () => {
    const owners = ["", "æøå", "10.0.0.1", "\u{1f511}", ...keys.slice(0, 12)].map((key) => ownerOf(pool(4), key));
    expect(owners.map((id) => id.slice("users-".length)).join("")).toBe("3122123301111100");
  });
});
