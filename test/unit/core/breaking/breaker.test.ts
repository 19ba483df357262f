import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { nextDueMs } from "../../../../src/core/breaking/due.ts";
import { probeOutcome } from "../../../../src/core/breaking/probes.ts";
import type { BreakerSettings, Forced } from "../../../../src/core/breaking/types.ts";
import { publishedOf } from "../../../../src/core/breaking/view.ts";
import { breakerDefaults, cell, Service } from "./service.ts";

const serviceWith = (settings: Partial<BreakerSettings> = {}) =>
  new Service({ breaker: { ...breakerDefaults, ...settings } });

/** A service whose v1 is half-open for the first time. */
function halfOpen(settings: Partial<BreakerSettings> = {}): Service {
  const service = serviceWith(settings);
  service.trip();
  service.wait(service.v1.openForMs);
  expect(service.v1.state).toBe("half-open");
  return service;
}

function prove(service: Service, probes = breakerDefaults.halfOpenProbes): void {
  for (const permit of service.permits(probes)) service.settle(permit, "ok");
}

describe("a closed breaker", () => {
  test.each([
    ["too few results", { ok: 9, fail: 10 }, "closed"],
    ["too few of them failures", { ok: 11, fail: 9 }, "closed"],
    ["as many of both as the settings say", { ok: 10, fail: 10 }, "open"],
  ] as const)("by its failure rate: %s", (_name, results, state) => {
    const service = serviceWith();
    service.results(results);
    expect(service.v1.state).toBe(state);
  });

  test.each([
    [0.5, { ok: 20, slow: 9 }, "closed"],
    [0.5, { ok: 20, slow: 10 }, "open"],
    [1, { ok: 20, slow: 19 }, "closed"],
    [1, { ok: 20, slow: 20 }, "open"],
  ] as const)("by its slow-call rate of %f: %o", (slowCallRate, results, state) => {
    const service = serviceWith({ slowCallRate });
    service.results(results);
    expect(service.v1.state).toBe(state);
  });

  test("opens by failures in a row, however few; 0 turns that off", () => {
    const strict = serviceWith({ consecutiveFailures: 3 });
    strict.results({ fail: 2 });
    expect(strict.v1.state).toBe("closed");
    strict.results({ fail: 1 });
    expect(strict.events.at(-1)).toMatchObject({ type: "breaker_opened", reason: "consecutive_failures" });
    const off = serviceWith({ minimumRequests: 1_000 });
    off.results({ fail: 999 });
    expect(off.v1.state).toBe("closed");
  });

  test("says why it opened, and for how long", () => {
    const service = serviceWith({ slowCallRate: 0.5 });
    service.results({ fail: 20, slow: 20 });
    service.wait(5_000);
    service.settle(service.permits()[0]!, "fail");
    expect(service.events).toEqual([
      { type: "breaker_opened", version: "v1", generation: 1, reason: "failure_rate", openForMs: 5_000 },
      { type: "breaker_half_open", version: "v1", generation: 2 },
      { type: "breaker_opened", version: "v1", generation: 3, reason: "probe_failed", openForMs: 10_000 },
    ]);
    const slow = serviceWith({ slowCallRate: 0.5 });
    slow.results({ ok: 20, slow: 10 });
    expect(slow.events).toMatchObject([{ type: "breaker_opened", reason: "slow_call_rate" }]);
  });

  test("opens by results of its own generation alone, also when new settings ask for fewer", () => {
    const service = serviceWith();
    service.results({ fail: 19 });
    service.settings = { ...service.settings, revision: 2, breaker: { ...breakerDefaults, minimumRequests: 10 } };
    service.results({ fail: 100, generation: 7 });
    expect(service.v1.state).toBe("closed");
    service.results({ fail: 1 });
    expect(service.v1.state).toBe("open");
  });

  test("judges what several isolates saw together, and each version for itself", () => {
    const service = serviceWith();
    for (let isolate = 0; isolate < 4; isolate++) {
      const cells = [cell({ fail: 4 }), cell({ version: "v2", fail: 4 }), cell({ origin: "b", ok: 1 })];
      service.report({ isolate: `i${isolate}`, cells: isolate === 3 ? cells.slice(0, 1) : cells });
    }
    expect(service.v1).toMatchObject({ state: "closed", counts: { requests: 19, failures: 16 } });
    service.report({ isolate: "i9", cells: [cell({ ok: 1 })] });
    expect(service.describe().breakers.map(({ version, state }) => [version, state])).toEqual([
      ["v1", "open"],
      ["v2", "closed"],
    ]);
  });

  test("counts results by their age, and none as old as the window", () => {
    const service = serviceWith();
    service.results({ fail: 10, ageMs: 10_000 });
    service.results({ fail: 10, ageMs: 9_000 });
    expect(service.v1.counts.requests).toBe(10);
    service.wait(1_000);
    expect(service.v1.counts.requests).toBe(0);
  });

  test("has forgotten every failure after an idle gap", () => {
    const service = serviceWith();
    service.results({ fail: 19 });
    service.wait(10_000);
    service.results({ fail: 1 });
    expect(service.v1).toMatchObject({ state: "closed", counts: { requests: 1, failures: 1 } });
  });

  test("begins with an empty window when the length of the window changes", () => {
    const service = serviceWith();
    service.results({ fail: 19 });
    service.settings = { ...service.settings, revision: 2, breaker: { ...breakerDefaults, windowMs: 20_000 } };
    service.results({ fail: 1 });
    expect(service.v1.counts.requests).toBe(1);
  });
});

describe("failures in a row", () => {
  const row = () => serviceWith({ minimumRequests: 1_000, consecutiveFailures: 10 });

  test("are put together from several isolates, and begin anew with the failures after a success", () => {
    const service = row();
    service.results({ fail: 4 });
    service.wait(1_000);
    service.results({ fail: 4 });
    expect(service.v1.consecutiveFailures).toBe(8);
    service.results({ ok: 1, fail: 5, tail: 2 });
    expect(service.v1.consecutiveFailures).toBe(2);
    service.results({ fail: 3 });
    expect(service.v1.consecutiveFailures).toBe(5);
  });

  test("are those younger than the window", () => {
    const service = row();
    service.results({ fail: 5, ageMs: 10_000 });
    expect(service.v1.consecutiveFailures).toBe(0);
    service.results({ fail: 5, ageMs: 9_999 });
    expect(service.v1.consecutiveFailures).toBe(5);
  });

  test("of several origins in one report count as in the order that makes the row shortest", () => {
    const cells = [
      cell({ fail: 9 }),
      cell({ origin: "b", ok: 1, fail: 9, tail: 9 }),
      cell({ origin: "c", ok: 1, fail: 4, tail: 1 }),
    ];
    for (const order of [cells, cells.toReversed()]) {
      const service = row();
      service.report({ cells: order });
      expect(service.v1).toMatchObject({ state: "closed", consecutiveFailures: 1 });
    }
  });

  test("of several origins are as old as the oldest of them, and end with the shortest tail of those that succeeded", () => {
    const service = row();
    service.report({ cells: [cell({ fail: 1 }), cell({ origin: "b", ok: 1, fail: 4 })] });
    expect(service.v1.consecutiveFailures).toBe(4);
    service.wait(1_000);
    service.report({ cells: [cell({ fail: 3, ageMs: 500 }), cell({ origin: "b", fail: 3, ageMs: 1_001 })] });
    expect(service.v1.consecutiveFailures).toBe(4);
    service.report({ cells: [cell({ fail: 3, ageMs: 500 }), cell({ origin: "b", fail: 2, ageMs: 1_000 })] });
    expect(service.v1.consecutiveFailures).toBe(9);
  });

  test("that come late, from before a success, do not count", () => {
    const service = row();
    service.wait(5_000);
    service.results({ ok: 1, ageMs: 1_000 });
    service.results({ fail: 9, ageMs: 1_001 });
    expect(service.v1.consecutiveFailures).toBe(0);
    service.results({ fail: 9, ageMs: 1_000 });
    expect(service.v1.consecutiveFailures).toBe(9);
  });

  test("end also with a success that comes late", () => {
    const service = row();
    service.results({ ok: 1 });
    service.results({ fail: 9 });
    service.results({ ok: 1, fail: 5, ageMs: 500 });
    expect(service.v1.consecutiveFailures).toBe(0);
  });
});

describe("an open breaker", () => {
  test("stays open twice as long with each attempt, up to the bound", () => {
    const service = serviceWith();
    service.trip();
    const times: number[] = [];
    for (let attempt = 0; attempt < 7; attempt++) {
      times.push(service.v1.openForMs);
      service.wait(service.v1.openForMs);
      service.settle(service.permits()[0]!, "fail");
    }
    expect(times).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  test.each([
    [0, 4_000],
    [0.25, 4_500],
    [0.999_999, 6_000],
  ])("is open for up to 20 %% less or more: %f", (random, openForMs) => {
    const service = serviceWith();
    service.random = () => random;
    service.trip();
    expect(service.v1.openForMs).toBe(openForMs);
  });

  test("counts nothing and gives no permits", () => {
    const service = serviceWith();
    service.trip();
    service.results({ ok: 1_000 });
    expect(service.permits(5)).toEqual([]);
    expect(service.v1).toMatchObject({ state: "open", generation: 1, counts: { requests: 0 } });
  });

  test("becomes half-open at its time, whichever operation comes first, and not before", () => {
    const service = serviceWith();
    service.trip();
    expect(nextDueMs(service.book, service.nowMs)).toBe(service.nowMs + 5_000);
    expect(service.wait(4_999)).toEqual([]);
    service.nowMs += 1;
    expect(service.permits()).toHaveLength(1);
    expect(service.v1).toMatchObject({ state: "half-open", generation: 2 });
  });
});

describe("a half-open breaker", () => {
  test("has as many permits out as it may, and a success keeps its place (B2)", () => {
    const service = halfOpen();
    const permits = service.permits(2);
    expect(permits).toHaveLength(2);
    service.settle(permits[0]!, "ok");
    expect(service.permits(9)).toHaveLength(1);
    expect(service.permits(9)).toHaveLength(0);
    expect(service.v1.probes).toEqual({ out: 2, succeeded: 1 });
  });

  test("names each permit differently, also after it is given back", () => {
    const service = halfOpen();
    const seen = new Set<string>();
    for (let round = 0; round < 5; round++) {
      for (const permit of service.permits(3)) {
        seen.add(permit);
        service.settle(permit, "ignored");
      }
    }
    expect(seen.size).toBe(15);
  });

  test("closes after its successes", () => {
    const service = halfOpen();
    prove(service);
    expect(service.v1).toMatchObject({ state: "closed", generation: 3, counts: { requests: 0 } });
  });

  test("opens by one failure, which voids the other permits (B3)", () => {
    const service = halfOpen({ halfOpenProbes: 2 });
    const [first, second] = service.permits(2);
    service.settle(first!, "fail");
    expect(service.v1).toMatchObject({ state: "open", generation: 3, openForMs: 10_000 });
    service.settle(second!, "ok");
    service.settle(second!, "fail", 2);
    expect(service.v1).toMatchObject({ generation: 3, probes: { out: 0, succeeded: 0 } });
  });

  test("counts the result of a permit once (B3)", () => {
    const service = halfOpen();
    const [permit] = service.permits(1);
    service.settle(permit!, "ok");
    service.settle(permit!, "ok");
    service.settle(permit!, "fail");
    expect(service.v1).toMatchObject({ state: "half-open", probes: { out: 0, succeeded: 1 } });
  });

  test("issues a permit again that was not reported, to the millisecond of its end (B7)", () => {
    const service = halfOpen({ halfOpenProbes: 1 });
    const [lost] = service.permits(1);
    expect(nextDueMs(service.book, service.nowMs)).toBe(service.nowMs + bounds.probeUseMs + bounds.probeResultMs);
    service.wait(bounds.probeUseMs + bounds.probeResultMs - 1);
    expect(service.permits(1)).toEqual([]);
    service.wait(1);
    const [again] = service.permits(1);
    expect(again).not.toBe(lost);
    service.settle(lost!, "fail");
    expect(service.v1.state).toBe("half-open");
    service.settle(again!, "ok");
    expect(service.v1.state).toBe("closed");
  });

  test("issues only those permits again that are over", () => {
    const service = halfOpen();
    const [lost] = service.permits(1);
    service.wait(1_000);
    const [kept] = service.permits(1);
    service.wait(bounds.probeUseMs + bounds.probeResultMs - 1_000);
    service.settle(lost!, "fail");
    expect(service.v1).toMatchObject({ state: "half-open", probes: { out: 1, succeeded: 0 } });
    service.settle(kept!, "ok");
    expect(service.v1).toMatchObject({ state: "half-open", probes: { out: 0, succeeded: 1 } });
  });

  test("counts the result of a permit only for the generation of both", () => {
    const service = halfOpen();
    const [permit] = service.permits(1);
    for (const generation of [1, 3]) service.settle(permit!, "fail", generation);
    expect(service.v1).toMatchObject({ state: "half-open", probes: { out: 1, succeeded: 0 } });
  });

  test("has permits and their results stored before anybody is told", () => {
    const service = halfOpen({ halfOpenProbes: 1 });
    const wants = [{ version: "v1", probes: 1 }];
    const { reply, changed } = service.report({ wants });
    expect(changed).toBe(true);
    expect(service.report({ wants }).changed, "nothing is free").toBe(false);
    const [permit] = reply.probes[0]!.permits;
    expect(service.settle(permit!, "ignored").changed).toBe(true);
    expect(service.settle(permit!, "ignored").changed, "it is back").toBe(false);
  });

  test("tells how long a permit may be used and reported", () => {
    const { reply } = halfOpen().report({ wants: [{ version: "v1", probes: 1 }] });
    const useWithinMs = bounds.probeUseMs;
    const reportWithinMs = bounds.probeUseMs + bounds.probeResultMs;
    expect(reply.probes).toEqual([{ version: "v1", generation: 2, permits: ["2.1"], useWithinMs, reportWithinMs }]);
  });

  test("gives nothing for wishes that are no number, or for versions that it does not know", () => {
    const service = halfOpen();
    expect(service.report({ wants: [{ version: "v1", probes: 0 }] }).changed).toBe(false);
    const wants = [Number.NaN, -5, 0].map((probes) => ({ version: "v1", probes }));
    expect(service.report({ wants: [...wants, { version: "v9", probes: 1 }] }).reply.probes).toEqual([]);
    service.report({ probes: [{ version: "v9", permit: "2.1", generation: 2, outcome: "fail" }] });
    expect(service.describe().breakers).toHaveLength(1);
  });

  test("closes when new settings ask for no more successes than there are", () => {
    const service = halfOpen();
    const permits = service.permits(2);
    service.settle(permits[0]!, "ok");
    service.settings = { ...service.settings, revision: 2, breaker: { ...breakerDefaults, halfOpenProbes: 1 } };
    service.report();
    expect(service.v1).toMatchObject({ state: "closed", generation: 3 });
  });

  test("takes a slow probe for a failure, unless single slow calls are no fault", () => {
    const settings = { ...breakerDefaults, slowCallRate: 0.99 };
    expect(probeOutcome("ok", true, settings)).toBe("fail");
    expect(probeOutcome("ok", false, settings)).toBe("ok");
    expect(probeOutcome("ignored", true, settings)).toBe("ignored");
    expect(probeOutcome("ok", true, breakerDefaults)).toBe("ok");
  });
});

describe("the ramp after closing", () => {
  const recovering = () => {
    const service = halfOpen({ recoveryMs: 30_000 });
    prove(service);
    return service;
  };

  test("shows since when it closed, and ends by itself with a new revision of the view", () => {
    const service = recovering();
    service.wait(29_999);
    expect(service.v1.recoveringForMs).toBe(29_999);
    expect(nextDueMs(service.book, service.nowMs)).toBe(service.nowMs + 1);
    const { revision } = service.book;
    expect(service.wait(1)).toEqual([]);
    expect(service.v1.recoveringForMs).toBeNull();
    expect(service.book.revision).toBe(revision + 1);
    expect(nextDueMs(service.book, service.nowMs)).toBeNull();
  });

  test("belongs to the recovery: a trip during it is one more attempt, a trip after it the first", () => {
    const during = recovering();
    during.wait(29_999);
    during.trip();
    expect(during.v1).toMatchObject({ openForMs: 10_000, recoveringForMs: null });
    const after = recovering();
    after.wait(30_000);
    after.trip();
    expect(after.v1.openForMs).toBe(5_000);
  });

  test("is none at a recovery time of 0", () => {
    const service = halfOpen();
    prove(service);
    expect(service.v1.recoveringForMs).toBeNull();
    service.trip();
    expect(service.v1.openForMs).toBe(5_000);
  });
});

describe("an order (B6)", () => {
  const states: readonly (readonly [string, () => Service])[] = [
    ["closed", () => serviceWith()],
    [
      "open",
      () => {
        const service = serviceWith();
        service.trip();
        return service;
      },
    ],
    ["half-open", () => halfOpen()],
  ];
  const cases = states.flatMap(([name, make]) =>
    (["forced-open", "disabled"] as const).map((forced) => [forced, name, make] as const),
  );

  test.each(cases)(
    "%s on a breaker that is %s holds whatever is reported, until it is taken back",
    (forced, _, make) => {
      const service = make();
      const permits = service.permits(2);
      const before = service.v1.generation;
      service.force("v1", forced);
      expect(service.v1).toMatchObject({ openForMs: 0, recoveringForMs: null, probes: { out: 0 } });
      for (const permit of permits) service.settle(permit, "fail", before);
      service.trip();
      service.wait(3_600_000);
      expect(service.permits(3)).toEqual([]);
      const state = forced === "forced-open" ? "open" : "closed";
      expect(service.v1).toMatchObject({
        state,
        forced,
        generation: before + 1,
        openForMs: 0,
        counts: { requests: 0 },
      });
      expect(nextDueMs(service.book, service.nowMs)).toBeNull();
      service.force("v1", "auto");
      expect(service.v1).toMatchObject({ state: "closed", forced: "auto", generation: before + 2 });
      expect(service.v1).toMatchObject({ recoveringForMs: null, consecutiveFailures: 0 });
    },
  );

  test("given again changes nothing", () => {
    const service = serviceWith();
    const orders: readonly Forced[] = ["auto", "disabled", "disabled", "forced-open", "forced-open", "auto", "auto"];
    for (const forced of orders) service.force("v1", forced);
    expect(service.events.map((event) => "forced" in event && event.forced)).toEqual([
      "disabled",
      "forced-open",
      "auto",
    ]);
    expect(publishedOf(service.book, service.nowMs)).toMatchObject({ revision: 3, breakers: [{ generation: 3 }] });
  });

  test("taken back gives the first open time again", () => {
    const service = halfOpen();
    service.settle(service.permits()[0]!, "fail");
    service.force("v1", "disabled");
    service.force("v1", "auto");
    service.trip();
    expect(service.v1.openForMs).toBe(5_000);
  });
});
