import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newLoadState } from "../../../../src/core/balancing/load.ts";
import { usableOf } from "../../../../src/core/balancing/panic.ts";
import { usableAmong, withoutVersion } from "../../../../src/core/balancing/usable.ts";
import { type Place, usableInZone, zoneOfPlace } from "../../../../src/core/balancing/zone.ts";
import { choose } from "./support.ts";

interface ZonedOrigin {
  readonly id: string;
  readonly weight: number;
  readonly zone: string | null;
  readonly isBad: boolean;
}
const isBad = (origin: ZonedOrigin) => origin.isBad;
const none: ReadonlySet<string> = new Set();

/** `eu+ eu- us+`: origins by zone, good (+) or bad (-); `?` is no zone. Ids are `0`, `1`, ... */
const originsOf = (sketch: string): readonly ZonedOrigin[] =>
  sketch.split(" ").map((text, index) => {
    const zone = text.slice(0, -1);
    return { id: String(index), weight: 1, zone: zone === "?" ? null : zone, isBad: text.endsWith("-") };
  });
const idsOf = (origins: readonly ZonedOrigin[] | null) => origins?.map(({ id }) => id).join("");

describe("usableOf", () => {
  test.each([
    ["?+ ?+ ?+", "012", false],
    ["?+ ?- ?+", "02", false],
    ["?+ ?- ?- ?+", "03", false],
    ["?+ ?- ?-", "012", true],
    ["?-", "0", true],
  ])("%s: %s may be chosen, panic %s", (sketch, ids, isPanic) => {
    const usable = usableOf(originsOf(sketch), isBad);
    expect([idsOf(usable.origins), usable.isPanic]).toEqual([ids, isPanic]);
  });

  test("no origins are no panic, and there is always an origin if there was one", () => {
    expect(usableOf([], isBad)).toEqual({ origins: [], isPanic: false });
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }), (bad) => {
        const { origins, isPanic } = usableOf(bad, (isBad) => isBad);
        expect(origins.length).toBeGreaterThanOrEqual(bad.length / 2);
        expect(isPanic).toBe(origins.includes(true));
      }),
    );
  });

  test("the very list is given back when nobody is bad, as this runs for every request", () => {
    const origins = originsOf("?+ ?+");
    expect(usableOf(origins, isBad).origins).toBe(origins);
  });
});

describe("usableInZone", () => {
  test.each<[string, string | null, string]>([
    ["eu+ us+ eu+ ?+", "02", "the zone's own"],
    ["eu+ us+ eu- eu+ eu-", "03", "its good ones, when that is half"],
    ["eu+ us+ eu- eu-", null, "none when fewer than half are good"],
    ["eu- us+ us+", null, "none when none is good"],
    ["us+ us+", null, "none when the zone has no origin"],
    ["eu+ us- us- us- us-", "0", "its own though the service as a whole is in panic"],
  ])("%s: %s, %s", (sketch, ids) => {
    expect(idsOf(usableInZone(originsOf(sketch), isBad, "eu", none)) ?? null).toBe(ids);
  });

  test("a retry stays while there is an untried good one, then it leaves the zone", () => {
    const origins = originsOf("eu+ us+ eu+ eu-");
    expect(idsOf(usableInZone(origins, isBad, "eu", new Set(["0"])))).toBe("02");
    expect(usableInZone(origins, isBad, "eu", new Set(["0", "2"]))).toBeNull();
  });
});

describe("usableAmong", () => {
  test("says what the others say of the same origins, whatever was asked before", () => {
    const one = fc.record({ zone: fc.constantFrom("eu", "us", null), isBad: fc.boolean() });
    const ids = fc.subarray([..."01234567"]);
    const asked = fc.record({ ejected: fc.nat(2), zone: fc.constantFrom("eu", "us", "ap", null), tried: ids });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 8 }), fc.tuple(ids, ids, ids), fc.array(asked), (all, sets, requests) => {
        const origins = all.map((rest, index) => ({ ...rest, id: String(index), weight: 1 }));
        const ejections = sets.map((of) => new Set(of));
        for (const { ejected: at, zone, tried: list } of requests) {
          const [ejected, tried] = [ejections[at]!, new Set(list)];
          const isOut = (origin: ZonedOrigin) => isBad(origin) || ejected.has(origin.id);
          const near = zone === null ? null : usableInZone(origins, isOut, zone, tried);
          const expected = near ? { origins: near, isPanic: false } : usableOf(origins, isOut);
          expect(usableAmong(origins, isBad, ejected, zone, tried)).toEqual(expected);
        }
      }),
    );
  });

  test("gives the very same array while nothing changes, and another when somebody is ejected", () => {
    const origins = originsOf("eu+ us+ eu+ eu-");
    const ejected = new Set(["2"]);
    const ask = (zone: string | null, out = ejected) => usableAmong(origins, isBad, out, zone, none).origins;
    for (const zone of [null, "us"]) expect(ask(zone)).toBe(ask(zone));
    expect(idsOf(ask(null))).toBe("01");
    expect(idsOf(ask(null, new Set(["1"])))).toBe("02");
  });
});

describe("zoneOfPlace", () => {
  const oslo: Place = { colo: "OSL", region: "03", country: "NO", continent: "EU" };
  const unknown: Place = { colo: null, region: null, country: null, continent: null };
  const zones: readonly (readonly [string, string])[] = [
    ["OSL", "by-colo"],
    ["NO-03", "by-region"],
    ["NO", "by-country"],
    ["EU", "by-continent"],
  ];

  test.each([0, 1, 2, 3])("the narrowest place that is mapped decides (%d left out)", (from) => {
    expect(zoneOfPlace({ zoneOf: new Map(zones.slice(from)) }, oslo)).toBe(zones[from]![1]);
  });

  test("unmapped, the continent is the zone", () => {
    expect(zoneOfPlace({ zoneOf: new Map([["SE", "north"]]) }, oslo)).toBe("eu");
  });

  test("what is unknown of a place is not asked for", () => {
    const zoneOf = new Map([["null", "wrong"], ["null-03", "wrong"], ["NO-null", "wrong"], ...zones]);
    expect(zoneOfPlace({ zoneOf }, unknown)).toBeNull();
    expect(zoneOfPlace({ zoneOf }, { ...unknown, region: "03", continent: "EU" })).toBe("by-continent");
    expect(zoneOfPlace({ zoneOf }, { ...unknown, country: "NO" })).toBe("by-country");
  });
});

test("while a version is refused, the origins of the others take its turns evenly", () => {
  const all = [..."abcdefghij"].map((id) => ({ id, weight: 1, version: id < "f" ? "v1" : "v2" }));
  const state = newLoadState();
  const counts = new Map<string, number>();
  for (let request = 0; request < 10_000; request++) {
    const first = choose("round-robin", all, { state })!;
    const { id } = all.find((origin) => origin.id === first.id && origin.version === "v2")
      ? first
      : choose("round-robin", withoutVersion(all, "v1"), { state })!;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  expect([...counts.keys()].sort().join("")).toBe("fghij");
  for (const count of counts.values()) expect(Math.abs(count - 2_000)).toBeLessThan(20);
});
