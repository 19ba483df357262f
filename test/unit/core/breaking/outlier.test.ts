import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { bookOf, rowOf } from "../../../../src/core/breaking/book.ts";
import { noChange } from "../../../../src/core/breaking/change.ts";
import { nextDueMs } from "../../../../src/core/breaking/due.ts";
import { passed } from "../../../../src/core/breaking/orders.ts";
import { countOrigin, ejectedMax, type Origins } from "../../../../src/core/breaking/outlier.ts";
import type { HealthEvent, OutlierSettings } from "../../../../src/core/breaking/types.ts";
import { publishedOf } from "../../../../src/core/breaking/view.ts";
import { cell, middle, outlierDefaults, Service, settingsOf } from "./service.ts";

const serviceWith = (outlier: Partial<OutlierSettings> = {}) =>
  new Service({ breaker: null, outlier: { ...outlierDefaults, ...outlier } });

const out = (service: Service) => service.describe().ejected.map(({ origin }) => origin);

const fail = (service: Service, origin: string, fail = 5) => service.report({ cells: [cell({ origin, fail })] });

/** A service whose origin "a" was just ejected for 30 s. */
function ejected(outlier: Partial<OutlierSettings> = {}): Service {
  const service = serviceWith(outlier);
  fail(service, "a");
  expect(out(service)).toEqual(["a"]);
  return service;
}

describe("an origin", () => {
  test("is ejected by failures in a row that several isolates saw", () => {
    const service = serviceWith();
    for (const isolate of ["i1", "i2", "i3", "i4"]) service.report({ isolate, cells: [cell({ fail: 1 })] });
    expect(out(service)).toEqual([]);
    const { reply, changed } = service.report({ isolate: "i5", cells: [cell({ fail: 1 })] });
    expect(reply).toMatchObject({ revision: 1, ejected: [{ origin: "a", forMs: 30_000 }] });
    expect(changed).toBe(true);
    expect(service.events).toEqual([{ type: "origin_ejected", origin: "a", forMs: 30_000, times: 1 }]);
  });

  test("starts anew with the failures after its last success; what is ignored changes nothing", () => {
    const service = serviceWith();
    service.report({ cells: [cell({ fail: 4 })] });
    service.report({ cells: [cell({ ignored: 9 })] });
    service.report({ cells: [cell({ ok: 1, fail: 9, tail: 1 })] });
    service.report({ cells: [cell({ fail: 3 })] });
    expect(out(service)).toEqual([]);
    service.report({ cells: [cell({ fail: 1 })] });
    expect(out(service)).toEqual(["a"]);
  });

  test("is judged by its cells in the order of their age, wherever they stand in the report", () => {
    const cells = [
      cell({ fail: 3, ageMs: 3_000 }),
      cell({ ok: 1, ageMs: 2_000 }),
      cell({ fail: 2, ageMs: 1_000 }),
      cell({ fail: 2 }),
    ];
    const orders = cells.map((_, at) => [...cells.slice(at), ...cells.slice(0, at)]);
    for (const order of [...orders, ...orders.map((cells) => cells.toReversed())]) {
      const service = serviceWith();
      service.report({ cells: order });
      expect(out(service), "four").toEqual([]);
      fail(service, "a", 1);
      expect(out(service), "five").toEqual(["a"]);
    }
  });

  test("is judged by what is not too old", () => {
    const service = serviceWith();
    fail(service, "a", 1);
    service.report({ cells: [cell({ fail: 4, ageMs: bounds.healthCellAgeMsMax + 1 })] });
    expect(out(service)).toEqual([]);
    service.report({ cells: [cell({ fail: 4, ageMs: bounds.healthCellAgeMsMax })] });
    expect(out(service)).toEqual(["a"]);
  });

  test("does not depend on the generation of its version's breaker", () => {
    const service = serviceWith();
    service.report({ cells: [cell({ fail: 5, generation: 7 })] });
    expect(out(service)).toEqual(["a"]);
  });

  test("is not ejected by a success, even if no place was free at the failures before it", () => {
    const service = serviceWith({ maxEjectionPercent: 1 });
    fail(service, "a");
    service.report({ cells: [cell({ origin: "b", ok: 1, fail: 6, tail: 6 })] });
    expect(out(service)).toEqual(["a"]);
    passed(service.book, ["a"], service.nowMs);
    service.report({ cells: [cell({ origin: "b", ok: 1, fail: 0 })] });
    expect(out(service)).toEqual([]);
  });
});

describe("an ejection", () => {
  test("lasts longer each time, up to the bound", () => {
    const service = serviceWith();
    const times: (number | undefined)[] = [];
    for (let time = 0; time < 12; time++) {
      fail(service, "a");
      const forMs = service.describe().ejected[0]?.forMs;
      times.push(forMs);
      service.wait(forMs ?? 0);
    }
    expect(times.slice(0, 3)).toEqual([30_000, 60_000, 90_000]);
    expect(times.slice(8)).toEqual([270_000, bounds.ejectionMsMax, bounds.ejectionMsMax, bounds.ejectionMsMax]);
  });

  test.each([
    [0, 24_000],
    [0.999_999, 36_000],
  ])("is up to 20 %% shorter or longer: %f", (random, forMs) => {
    const service = serviceWith();
    service.random = () => random;
    fail(service, "a");
    expect(service.describe().ejected).toEqual([{ origin: "a", forMs, times: 1 }]);
  });

  test("is forgiven once for each base time that the origin is not ejected", () => {
    for (const [waitMs, times] of [
      [29_999, 3],
      [30_000, 2],
      [60_000, 1],
      [600_000, 1],
    ] as const) {
      const service = ejected();
      service.wait(30_000);
      fail(service, "a");
      service.wait(60_000);
      service.wait(waitMs);
      fail(service, "a");
      expect(service.describe().ejected[0]?.times).toBe(times);
    }
  });

  test("is not forgiven while it lasts", () => {
    const service = ejected();
    service.wait(30_000);
    fail(service, "a");
    service.wait(59_999);
    expect(service.describe().ejected).toEqual([{ origin: "a", forMs: 1, times: 2 }]);
  });

  test("ends at its time, with an event and a new view", () => {
    const service = ejected();
    expect(nextDueMs(service.book, service.nowMs)).toBe(service.nowMs + 30_000);
    expect(service.wait(29_999)).toEqual([]);
    expect(service.wait(1)).toEqual([{ type: "origin_returned", origin: "a", reason: "time" }]);
    expect(publishedOf(service.book, service.nowMs)).toMatchObject({ revision: 2, ejected: [] });
  });

  test("ends with a passed check; those of other origins do not matter", () => {
    const service = ejected();
    expect(passed(service.book, ["b", "c"], service.nowMs)).toEqual({ ok: true, events: [], changed: false });
    const returned: HealthEvent = { type: "origin_returned", origin: "a", reason: "check" };
    expect(passed(service.book, ["a"], service.nowMs)).toEqual({ ok: true, events: [returned], changed: true });
    expect(service.book.revision).toBe(2);
    expect(passed(service.book, ["a"], service.nowMs).changed).toBe(false);
  });

  test.each([
    ["ejections are turned off", null],
    ["no origin may be out", { ...outlierDefaults, maxEjectionPercent: 0 }],
  ])("ends when %s", (_name, outlier) => {
    const service = ejected();
    service.settings = settingsOf({ revision: 2, breaker: null, outlier });
    expect(service.report().events).toEqual([{ type: "origin_returned", origin: "a", reason: "settings" }]);
    fail(service, "a", 100);
    expect(out(service)).toEqual([]);
  });

  test("outlasts new settings by which origins are ejected still", () => {
    const service = ejected();
    service.settings = settingsOf({
      revision: 2,
      breaker: null,
      outlier: { ...outlierDefaults, consecutiveFailures: 9 },
    });
    expect(service.report().events).toEqual([]);
    expect(service.describe().ejected).toEqual([{ origin: "a", forMs: 30_000, times: 1 }]);
  });

  test("is not forgiven while there are no settings by which it would be", () => {
    const service = ejected();
    service.settings = settingsOf({ revision: 2, breaker: null, outlier: null });
    service.report();
    expect(rowOf(service.book, service.nowMs + 3_600_000).ejections).toMatchObject([{ origin: "a", times: 1 }]);
  });

  test("is not lengthened by what comes in meanwhile, nor repeated at once by what began before its end", () => {
    const service = ejected();
    fail(service, "a", 100);
    service.wait(29_999);
    fail(service, "a", 100);
    service.wait(1_001);
    service.report({ cells: [cell({ fail: 100, ageMs: 1_001 })] });
    expect(out(service)).toEqual([]);
    service.report({ cells: [cell({ fail: 5, ageMs: 1_000 })] });
    expect(out(service)).toEqual(["a"]);
  });

  test("that a check has ended is not repeated by what began before the check", () => {
    const service = ejected();
    service.wait(5_000);
    passed(service.book, ["a"], service.nowMs);
    service.wait(100);
    service.report({ cells: [cell({ fail: 100, ageMs: 101 })] });
    expect(out(service)).toEqual([]);
  });

  test("outlives a restart, with its times; so does what the origin is not forgiven yet", () => {
    const service = ejected();
    const restart = () => {
      service.book = bookOf(JSON.parse(JSON.stringify(rowOf(service.book, service.nowMs))), service.nowMs);
    };
    restart();
    service.wait(29_999);
    expect(out(service)).toEqual(["a"]);
    service.wait(1);
    service.wait(29_999);
    restart();
    service.report({ cells: [cell({ fail: 5, ageMs: 30_000 })] });
    expect(out(service)).toEqual([]);
    fail(service, "a");
    expect(service.describe().ejected[0]?.times).toBe(2);
  });

  test("that is forgiven is not stored", () => {
    const service = ejected();
    service.wait(30_000);
    expect(rowOf(service.book, service.nowMs + 29_999).ejections).toHaveLength(1);
    expect(rowOf(service.book, service.nowMs + 30_000).ejections).toHaveLength(0);
  });
});

describe("the number of ejections at once", () => {
  test.each([
    [10, 100, 10],
    [10, 19, 1],
    [10, 3, 1],
    [10, 0, 1],
    [10, -5, 1],
    [50, 5, 2],
    [100, 5, 5],
    [0, 100, 0],
  ])("of %f %% of %f origins is %f", (maxEjectionPercent, origins, most) => {
    const settings = { ...outlierDefaults, maxEjectionPercent };
    expect(ejectedMax(settings, origins)).toBe(most);
    const service = serviceWith(settings);
    for (let origin = 0; origin < 20; origin++) {
      service.report({ origins, cells: [cell({ origin: `o${origin}`, fail: 5 })] });
    }
    expect(out(service)).toHaveLength(most);
  });

  test("is the least when the isolate does not know how many origins there are", () => {
    const service = serviceWith();
    for (const origins of [Number.NaN, -1, 0, 19]) {
      service.report({ origins, cells: [cell({ origin: `o${origins}`, fail: 5 })] });
    }
    expect(out(service)).toEqual(["oNaN"]);
  });

  test("leaves a further origin in until a place is free and it fails again", () => {
    const service = serviceWith({ maxEjectionPercent: 1 });
    fail(service, "a");
    fail(service, "b");
    expect(out(service)).toEqual(["a"]);
    service.wait(30_000);
    expect(out(service)).toEqual([]);
    fail(service, "b", 1);
    expect(out(service)).toEqual(["b"]);
  });
});

describe("the origins remembered", () => {
  const settings: OutlierSettings = { consecutiveFailures: 2, baseEjectionMs: 30_000, maxEjectionPercent: 100 };
  const count = (origins: Origins, origin: string, fail = 1) =>
    countOrigin(origins, cell({ origin, fail }), settings, bounds.healthOriginsMax, 0, middle, noChange());
  const all = Array.from({ length: bounds.healthOriginsMax }, (_, index) => `o${index}`);

  test("are bounded: the one unseen for longest is forgotten, but none that is ejected", () => {
    const origins: Origins = new Map();
    for (const origin of all) count(origins, origin, origin === "o0" ? 2 : 1);
    count(origins, "o1", 0);
    count(origins, "new");
    expect(origins.size).toBe(bounds.healthOriginsMax);
    expect([origins.has("o0"), origins.has("o1"), origins.has("o2"), origins.has("new")]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  test("are no more when all are ejected", () => {
    const origins: Origins = new Map();
    for (const origin of all) count(origins, origin, 2);
    count(origins, "new", 2);
    expect(origins.size).toBe(bounds.healthOriginsMax);
    expect(origins.has("new")).toBe(false);
  });
});
