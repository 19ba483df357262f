/** The checks can fail: each is shown a loss, an excess or a failure that was planted. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startFarm } from "../support/farm.ts";
import { seeded } from "../support/random.ts";
import { blame, type Outcome } from "./blame.ts";
import { startKillable } from "./killable.ts";
import { Ledger } from "./ledger.ts";
import { excessOf, forgotten, mostIn, usedOf } from "./limits.ts";
import { judgeMemory } from "./memory.ts";
import type { Fault } from "./origins.ts";
import { configOf, emptyBooks, type Stage } from "./stage.ts";
import { lossesOf, serves } from "./survivors.ts";

const written = (name: string, ...values: readonly string[]): Ledger<string> => {
  const ledger = new Ledger("thing", "none");
  for (const [index, value] of values.entries()) {
    ledger.begin(name, value);
    ledger.acknowledge(name, { value, revision: index + 1 });
  }
  return ledger;
};

it("what was acknowledged must be there: neither nothing, nor what was before it, nor an older revision", () => {
  expect(written("a", "x", "y").settle("a", { value: "y", revision: 2 })).toBeNull();
  expect(written("a", "x", "y").settle("a", { value: "none", revision: 0 })).toMatch(
    /y of revision 2 was acknowledged/,
  );
  expect(written("a", "x", "y").settle("a", { value: "x", revision: 1 })).toMatch(/x of revision 1 is there/);
  expect(written("a", "x", "y").settle("a", { value: "y", revision: 1 })).toMatch(/y of revision 1 is there/);
});

it("a write without an answer may have happened or not, until the crash that leaves it open is judged", () => {
  const ledger = written("a", "x");
  ledger.begin("a", "y");
  expect(ledger.inDoubt).toBe(1);
  expect(ledger.possible("a")).toEqual(["x", "y"]);
  expect(ledger.settle("a", { value: "y", revision: 2 })).toBeNull();
  expect(ledger.settle("a", { value: "x", revision: 1 })).not.toBeNull();
  ledger.begin("a", "z");
  ledger.refuse("a", "z");
  expect(ledger.settle("a", { value: "z", revision: 9 })).not.toBeNull();
});

it("of two writers the one with the newer revision counts, whoever is answered first", () => {
  const ledger = new Ledger("thing", 0);
  ledger.begin("a", 1);
  ledger.begin("a", 2);
  ledger.acknowledge("a", { value: 2, revision: 8 });
  ledger.acknowledge("a", { value: 1, revision: 7 });
  expect(ledger.settle("a", { value: 1, revision: 7 })).not.toBeNull();
});

it("one request too many is seen, in a window, in a bucket and in a quota", () => {
  const within = Array.from({ length: 60 }, (_, index) => index * 100);
  expect(usedOf("ten", within)).toBe(1);
  expect(usedOf("ten", [...within, 6_000])).toBeGreaterThan(1);
  expect(mostIn([0, 999, 1_000], 1_000)).toBe(2);
  expect(excessOf([...Array(20).fill(0), 100, 200], 10, 20)).toBe(0);
  expect(excessOf([...Array(21).fill(0)], 10, 20)).toBe(1);
  expect(usedOf("token", Array(21).fill(0))).toBe(1);
  expect(usedOf("token", Array(22).fill(0))).toBeGreaterThan(1);
  expect(usedOf("month", Array(81).fill(0))).toBeGreaterThan(1);
  expect(forgotten("month", "c", 5, 5)).toBeNull();
  expect(forgotten("month", "c", 4, 5)).toMatch(/5 passed, 4 are charged/);
});

const failure: Outcome = {
  ...{ sentMs: 1_000, endedMs: 1_100, path: "/x", status: 502, isWhole: true },
  ...{ code: "upstream_unreachable", origin: "p0" },
};
const fault: Fault = { kind: "kill", origins: ["p0"], fromMs: 500, toMs: 1_500 };
const echo = { origins: 4, failureRate: 0.8, breakerMs: 3_000 };

it("a failure is blamed on a fault of its origin and of its time only", () => {
  expect(blame(failure, [fault], echo)).toBe(fault);
  expect(blame({ ...failure, origin: "p1" }, [fault], echo)).toBeNull();
  expect(blame({ ...failure, origin: null }, [fault], echo)).toBeNull();
  expect(blame({ ...failure, sentMs: 1_600, endedMs: 1_700 }, [fault], echo)).toBeNull();
  expect(blame({ ...failure, sentMs: 300, endedMs: 400 }, [fault], echo)).toBeNull();
  expect(blame({ ...failure, code: "internal_error", status: 500 }, [fault], echo)).toBeNull();
  expect(blame({ ...failure, code: null, status: 0 }, [fault], echo)).toBeNull();
});

it("a breaker may refuse only after so many origins failed that it had to open, and not for long", () => {
  const refused = { ...failure, code: "circuit_open", status: 503, origin: null, sentMs: 4_000, endedMs: 4_001 };
  const all = { ...fault, origins: ["p0", "p1", "p2", "p3"] };
  expect(blame(refused, [all], echo)).toBe(all);
  expect(blame(refused, [fault], echo)).toBeNull();
  expect(blame({ ...refused, sentMs: 4_600, endedMs: 4_601 }, [all], echo)).toBeNull();
});

it("an answer that is cut off is blamed on an origin that cut it", () => {
  const cut = { ...failure, status: 200, code: null, isWhole: false };
  expect(blame(cut, [{ ...fault, kind: "cut" }], echo)).not.toBeNull();
  expect(blame(cut, [{ ...fault, kind: "slow" }], echo)).toBeNull();
});

it("memory that rises is seen under the garbage of every collection, and garbage is not taken for it", () => {
  const sawtooth = (leakMibPerMin: number) =>
    Array.from({ length: 2_000 }, (_, index) => {
      const atMs = index * 500;
      return { atMs, mib: 200 + ((index * 7) % 40) + (leakMibPerMin * atMs) / 60_000 };
    });
  expect(judgeMemory(sawtooth(0)).isFlat).toBe(true);
  expect(judgeMemory(sawtooth(20)).isFlat).toBe(false);
  expect(judgeMemory(sawtooth(20).slice(0, 240)).isFlat).toBeNull();
  expect(() => judgeMemory(sawtooth(0).slice(0, 20))).toThrow(RangeError);
});

it("a state that is gone is reported: configuration, origins, orders and quotas", async () => {
  const [dir, farm] = [await mkdtemp(join(tmpdir(), "sluice-lost-")), await startFarm(1)];
  const origin = farm.origins[0]!;
  const books = emptyBooks();
  let last = 0;
  const stageOf = (gateway: Stage["gateway"]): Stage => ({
    ...{ gateway, books, origin, random: seeded(1), clients: ["c"], next: () => ++last },
  });
  let gateway = await startKillable({ persist: join(dir, "before"), config: configOf(origin.url, 0) });
  try {
    const write = async (path: string, body: object): Promise<{ revision: number; leaseId: string }> => {
      const response = await gateway.admin(path, { method: "PUT", body: JSON.stringify(body) });
      return (await response.json()) as { revision: number; leaseId: string };
    };
    books.config.acknowledge("config", { value: 0, revision: 1 });
    const url = `${origin.url}/as/reg-0/o0/1`;
    const { revision, leaseId } = await write("/v1/services/reg-0/origins/o0", { url });
    books.origins.acknowledge("reg-0/o0", { value: url, revision });
    books.leases.set("reg-0/o0", leaseId);
    const ordered = await write("/v1/breakers/brk-0", { state: "forced-open" });
    books.orders.acknowledge("brk-0", { value: "forced-open", revision: ordered.revision });
    await (await fetch(`${gateway.url}/month`, { headers: { "x-client": "c" } })).arrayBuffer();
    expect((await serves(stageOf(gateway))).wrong).toEqual([]);
    expect(await lossesOf(stageOf(gateway))).toEqual([]);
    await gateway.kill();
    // Another state, with a configuration so that there is something to ask.
    gateway = await startKillable({ persist: join(dir, "after"), config: configOf(origin.url, 5) });
    const losses = (await lossesOf(stageOf(gateway))).join("\n");
    for (const lost of [
      /configuration config: 0 of revision 1 was acknowledged, 5/,
      /registry reg-0: revision 1 went back/,
      /origin reg-0\/o0: .* was acknowledged/,
      /lease of reg-0\/o0: a heartbeat is answered 404/,
      /order brk-0: forced-open of revision 1 was acknowledged, auto/,
      /quota month of c: 1 passed, 0 are charged/,
    ]) {
      expect(losses).toMatch(lost);
    }
  } finally {
    await gateway.dispose();
    await farm.dispose();
    await rm(dir, { recursive: true, force: true });
  }
}, 60_000);
