import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { bookOf, emptyBook, rowOf } from "../../../../src/core/breaking/book.ts";
import { nextDueMs, tick } from "../../../../src/core/breaking/due.ts";
import { nextReportMs } from "../../../../src/core/breaking/isolates.ts";
import { force } from "../../../../src/core/breaking/orders.ts";
import { describe as describeBook, publishedOf } from "../../../../src/core/breaking/view.ts";
import { breakerDefaults, cell, outlierDefaults, Service, settingsOf, startMs } from "./service.ts";

/** The object stops and starts again with what it has stored. */
function restart(service: Service): void {
  service.book = bookOf(JSON.parse(JSON.stringify(rowOf(service.book, service.nowMs))), service.nowMs);
}

function halfOpen(): Service {
  const service = new Service();
  service.trip();
  service.wait(5_000);
  return service;
}

describe("a report", () => {
  test("of a healthy service changes nothing but the settings, once", () => {
    const service = new Service();
    const { reply, events, changed } = service.results({ ok: 10 });
    expect({ events, changed }).toEqual({ events: [], changed: true });
    expect(reply).toEqual({
      revision: 0,
      forced: "auto",
      breakers: [],
      ejected: [],
      seq: 1,
      probes: [],
      concurrency: null,
      isolates: 1,
      nextReportMs: 1_000,
    });
    expect(service.results({ ok: 10 }).changed).toBe(false);
    expect(nextDueMs(service.book, service.nowMs)).toBeNull();
  });

  test("is answered with the breakers and ejections in the order of their names", () => {
    const service = new Service({ outlier: outlierDefaults });
    const versions = ["v3", "v1", "v2"];
    const { reply, changed } = service.report({
      cells: versions.map((version) => cell({ version, origin: `o${version}`, fail: 20 })),
    });
    expect(changed).toBe(true);
    expect(reply.breakers.map(({ version }) => version)).toEqual(["v1", "v2", "v3"]);
    expect(reply.ejected.map(({ origin }) => origin)).toEqual(["ov1", "ov2", "ov3"]);
    expect(reply.revision).toBe(6);
  });

  test("counts once, however often and late it comes, but is answered (B3)", () => {
    const service = new Service();
    const once = { cells: [cell({ fail: 10 })] };
    service.report({ ...once, seq: 7 });
    for (const seq of [7, 7, 6, 7, -1, 7, Number.NaN, 7, Number.POSITIVE_INFINITY, 7, 0.5, 7]) {
      expect(service.report({ ...once, seq }).reply.seq).toBe(seq);
    }
    expect(service.v1.counts).toEqual({ requests: 10, failures: 10, slow: 0 });
    service.report({ ...once, seq: 7, isolate: "other" });
    expect(service.v1.state).toBe("open");
  });

  test("that is repeated gets no permits: those of the first answer may be in use", () => {
    const service = halfOpen();
    const wants = [{ version: "v1", probes: 1 }];
    const first = service.report({ seq: 50, wants }).reply.probes;
    expect(first).toHaveLength(1);
    expect(service.report({ seq: 50, wants }).reply.probes).toEqual([]);
    expect(service.v1.probes.out).toBe(1);
  });

  test("does not count for another generation than its requests began in (B3)", () => {
    const service = new Service();
    service.report({ cells: [cell({ fail: 100, generation: 1 })] });
    expect(service.v1).toMatchObject({ state: "closed", counts: { requests: 0 } });
    service.trip();
    service.report({ cells: [cell({ fail: 100, generation: 0 })] });
    expect(service.v1.generation).toBe(1);
  });

  test("of nothing but ignored results makes no breaker", () => {
    const service = new Service();
    service.results({ ignored: 9 });
    expect(service.describe().breakers).toEqual([]);
  });

  test.each([
    ["negative numbers", { ok: -5, fail: -5, slow: -5, tail: -5 }, [0, 0, 0]],
    ["no numbers", { ok: Number.NaN, fail: Number.NaN }, [0, 0, 0]],
    ["fractions", { ok: 1.9, fail: 0.9 }, [1, 0, 0]],
    ["more slow calls than calls", { ok: 2, fail: 1, slow: 9 }, [3, 1, 3]],
    ["numbers beyond belief", { ok: Number.POSITIVE_INFINITY, fail: 1e300 }, [2_000_000, 1_000_000, 0]],
    ["results from the future", { ok: 1, ageMs: -1e9 }, [1, 0, 0]],
    ["results without an age", { ok: 1, ageMs: Number.NaN }, [0, 0, 0]],
    ["results of another age", { ok: 1, ageMs: 60_001 }, [0, 0, 0]],
  ])("with %s is made to fit", (_name, numbers, [requests, failures, slow]) => {
    const service = new Service({ breaker: { ...breakerDefaults, failureRate: 1 } });
    service.results(numbers);
    expect(service.v1.counts).toEqual({ requests, failures, slow });
  });

  test("cannot make a row of failures longer than its failures, nor hide one by a tail", () => {
    const service = new Service({ breaker: { ...breakerDefaults, minimumRequests: 100 } });
    service.results({ ok: 1, fail: 2, tail: 50 });
    expect(service.v1.consecutiveFailures).toBe(2);
    service.results({ fail: 3, tail: 0 });
    expect(service.v1.consecutiveFailures).toBe(5);
  });

  test("is read up to a bound", () => {
    const service = new Service({ breaker: { ...breakerDefaults, minimumRequests: 1_000_000 } });
    service.report({ cells: Array.from({ length: bounds.healthItemsPerReportMax + 1 }, () => cell({ fail: 1 })) });
    expect(service.v1.counts.requests).toBe(bounds.healthItemsPerReportMax);
    const tried = halfOpen();
    const others = Array.from({ length: bounds.healthItemsPerReportMax }, (_, index) => `x${index}`);
    const want = (version: string) => ({ version, probes: 1 });
    expect(tried.report({ wants: [...others.map(want), want("v1")] }).reply.probes).toEqual([]);
    const { reply } = tried.report({ wants: [...others.slice(1).map(want), want("v1")] });
    const result = (permit: string) => ({ version: "v1", permit, generation: 2, outcome: "fail" as const });
    const [permit] = reply.probes[0]!.permits;
    tried.report({ probes: [...others, permit!].map(result) });
    expect(tried.v1.state).toBe("half-open");
    tried.report({ probes: [...others.slice(1), permit!].map(result) });
    expect(tried.v1.state).toBe("open");
  });
});

describe("the isolates", () => {
  test("count while they report, and are asked to report less often when they are many", () => {
    const service = new Service();
    for (let isolate = 0; isolate < 601; isolate++) service.report({ isolate: `i${isolate}` });
    expect(service.report({ isolate: "i0" }).reply).toMatchObject({ isolates: 601, nextReportMs: 2_004 });
    service.wait(bounds.healthIsolateKeptMs);
    expect(service.report({ isolate: "i0" }).reply.isolates).toBe(601);
    expect(service.describe().isolates).toBe(601);
    service.wait(1);
    expect(service.describe().isolates).toBe(1);
    expect(service.report({ isolate: "i0" }).reply).toMatchObject({ isolates: 1, nextReportMs: 1_000 });
  });

  test.each([
    [1, 1_000],
    [300, 1_000],
    [301, 1_004],
    [3_000, 10_000],
  ])("%f of them report every %f ms", (isolates, ms) => {
    expect(nextReportMs(isolates)).toBe(ms);
  });

  test("are bounded: the one silent for longest is forgotten", () => {
    const service = new Service();
    for (let isolate = 0; isolate <= bounds.healthIsolatesMax; isolate++) service.report({ isolate: `i${isolate}` });
    expect(service.book.isolates.size).toBe(bounds.healthIsolatesMax);
    expect([service.book.isolates.has("i0"), service.book.isolates.has("i1")]).toEqual([false, true]);
  });
});

describe("settings", () => {
  const strict = { ...breakerDefaults, minimumRequests: 1 };

  test.each([
    ["a higher revision", 6, true],
    ["the same revision", 5, true],
    ["a lower revision", 4, false],
    ["no revision", Number.NaN, false],
    ["an endless revision", Number.POSITIVE_INFINITY, false],
  ])("of %s: adopted %o, whoever brings them", (_name, revision, isAdopted) => {
    const service = new Service({ revision: 5 });
    service.report();
    service.settings = settingsOf({ revision, breaker: strict });
    expect(service.report({ isolate: "other" }).changed).toBe(isAdopted);
    service.results({ fail: 1 });
    expect(service.v1.state).toBe(isAdopted ? "open" : "closed");
  });

  test("of the first revision of all are adopted", () => {
    const service = new Service({ revision: 0 });
    service.trip();
    expect(service.v1.state).toBe("open");
  });

  test("that are not known yet open nothing, eject nothing and limit nothing", () => {
    const service = new Service({ revision: Number.NaN, outlier: outlierDefaults, maxConcurrent: 1 });
    const concurrency = { inFlight: 0, held: 0, wanted: 1 };
    const { reply, changed } = service.report({ cells: [cell({ fail: 1_000 })], concurrency });
    expect(changed).toBe(false);
    expect(reply).toMatchObject({ revision: 0, breakers: [], ejected: [], concurrency: null });
  });

  test("are adopted from a repeated report as well", () => {
    const service = new Service();
    service.report({ seq: 5 });
    service.settings = settingsOf({ revision: 2, breaker: strict });
    expect(service.report({ seq: 5 }).changed).toBe(true);
  });

  test("without a breaker open none, and close those that are not ordered otherwise", () => {
    const service = halfOpen();
    service.report({ cells: [cell({ version: "v2", fail: 20 })] });
    service.force("v3", "forced-open");
    service.settings = settingsOf({ revision: 2, breaker: null });
    const { events, reply } = service.report({ cells: [cell({ version: "v4", fail: 100 })] });
    expect(events).toEqual([
      { type: "breaker_closed", version: "v1", generation: 3 },
      { type: "breaker_closed", version: "v2", generation: 2 },
    ]);
    expect(reply.breakers.map(({ version, state }) => `${version} ${state}`)).toEqual([
      "v1 closed",
      "v2 closed",
      "v3 open",
    ]);
    expect(service.permits(3)).toEqual([]);
    service.report({ probes: [{ version: "v1", permit: "2.1", generation: 2, outcome: "fail" }] });
    expect(service.v1).toMatchObject({ state: "closed", generation: 3 });
  });

  test("leave breakers in their states, and those that are closed also when there is to be no breaker", () => {
    const service = new Service();
    service.trip();
    service.report({ cells: [cell({ version: "v2", ok: 1 })] });
    service.settings = settingsOf({ revision: 2, breaker: strict });
    expect(service.report().events).toEqual([]);
    expect(service.v1).toMatchObject({ state: "open", generation: 1, openForMs: 5_000 });
    service.settings = settingsOf({ revision: 3, breaker: null });
    expect(service.report().events).toEqual([{ type: "breaker_closed", version: "v1", generation: 2 }]);
    expect(service.describe().breakers.map(({ generation }) => generation)).toEqual([2, 0]);
  });

  test("without a breaker end a ramp", () => {
    const service = new Service({ breaker: { ...breakerDefaults, recoveryMs: 60_000, halfOpenProbes: 1 } });
    service.trip();
    service.wait(5_000);
    service.settle(service.permits()[0]!, "ok");
    service.settings = settingsOf({ revision: 2, breaker: null });
    service.report();
    service.wait(0);
    expect(service.v1.recoveringForMs).toBeNull();
  });
});

describe("the versions of a service", () => {
  const fill = (service: Service, fail: number) => {
    for (let version = 0; version < bounds.breakerVersionsMax; version++) {
      service.report({ cells: [cell({ version: `v${version}`, fail })] });
    }
  };
  const known = (service: Service, version: string) => service.book.breakers.has(version);

  test("are bounded: without an idle one a further version goes without a breaker", () => {
    const service = new Service();
    fill(service, 1);
    service.wait(bounds.breakerIdleMs - 1);
    service.report({ cells: [cell({ version: "new", fail: 100 })] });
    expect(known(service, "new")).toBe(false);
    expect(force(service.book, "new", "disabled", service.nowMs)).toEqual({ ok: false, events: [], changed: false });
  });

  test("are bounded: the longest idle one makes room", () => {
    const service = new Service();
    fill(service, 1);
    service.wait(bounds.breakerIdleMs);
    for (const version of ["v0", "v2"]) service.report({ cells: [cell({ version, ok: 1 })] });
    expect(service.book.breakers.size, "those that are known need none").toBe(bounds.breakerVersionsMax);
    service.report({ cells: [cell({ version: "new", ok: 1 })] });
    expect(["v0", "v1", "v2", "v3", "new"].map((version) => known(service, version))).toEqual([
      true,
      false,
      true,
      true,
      true,
    ]);
    expect(service.book.revision).toBe(0);
  });

  test("that are open, recovering or ordered are never forgotten", () => {
    const service = new Service({ breaker: { ...breakerDefaults, recoveryMs: 3_600_000, halfOpenProbes: 1 } });
    service.report({ cells: [cell({ version: "recovering", fail: 20 })] });
    service.wait(5_000);
    const permit = service.report({ wants: [{ version: "recovering", probes: 1 }] }).reply.probes[0]!.permits[0]!;
    service.report({ probes: [{ version: "recovering", permit, generation: 2, outcome: "ok" }] });
    service.force("ordered", "disabled");
    service.report({ cells: [cell({ version: "open", fail: 20 })] });
    for (let version = 3; version < bounds.breakerVersionsMax; version++) {
      service.report({ cells: [cell({ version: `v${version}`, ok: 1 })] });
    }
    service.wait(bounds.breakerIdleMs);
    for (const version of ["new0", "new1"]) service.report({ cells: [cell({ version, ok: 1 })] });
    expect([...service.book.breakers.keys()].slice(0, 4)).toEqual(["recovering", "ordered", "open", "v5"]);
  });

  test("that were forgotten begin in a generation that no late result can name", () => {
    const service = new Service({ breaker: { ...breakerDefaults, halfOpenProbes: 1 } });
    service.trip();
    service.wait(5_000);
    service.settle(service.permits()[0]!, "ok");
    fill(service, 1);
    service.wait(bounds.breakerIdleMs);
    const revision = service.book.revision;
    expect(service.report({ cells: [cell({ version: "new", ok: 1 })] }).changed).toBe(false);
    expect(known(service, "v0")).toBe(false);
    service.report({ cells: [cell({ version: "new2", ok: 1 })] });
    expect(known(service, "v1")).toBe(false);
    const { reply, changed } = service.report({ cells: [cell({ version: "v1", fail: 100 })] });
    expect(changed).toBe(true);
    expect(reply.breakers).toMatchObject([
      { version: "new2", generation: 3 },
      { version: "v1", generation: 3, state: "closed" },
    ]);
    expect(reply.revision).toBe(revision + 3);
    restart(service);
    expect(publishedOf(service.book, service.nowMs).breakers).toEqual(reply.breakers);
    service.report({ cells: [cell({ version: "v0", fail: 100, generation: 2 })] });
    expect(service.describe().breakers.find(({ version }) => version === "v0")).toMatchObject({ generation: 3 });
  });
});

describe("an order for the whole service", () => {
  test("holds for every version, also those to come, and ends the orders for single ones", () => {
    const service = new Service();
    service.report({ cells: [cell({ ok: 1 }), cell({ version: "v2", ok: 1 })] });
    service.force("v2", "forced-open");
    service.force(null, "disabled");
    service.report({ cells: [cell({ version: "v3", fail: 100, generation: 1 })] });
    const { forced, breakers } = publishedOf(service.book, service.nowMs);
    expect(forced).toBe("disabled");
    expect(breakers.map(({ version, forced, generation }) => [version, forced, generation])).toEqual([
      ["v1", "disabled", 1],
      ["v2", "disabled", 2],
      ["v3", "disabled", 1],
    ]);
    expect(service.events.at(-1)).toEqual({ type: "breaker_forced", version: null, forced: "disabled" });
  });

  test("leaves room for orders for single versions after it", () => {
    const service = new Service();
    service.force(null, "forced-open");
    service.force("v1", "auto");
    service.report({ cells: [cell({ version: "v2", ok: 1, generation: 1 })] });
    const { breakers } = publishedOf(service.book, service.nowMs);
    expect(breakers.map(({ version, forced, state }) => [version, forced, state])).toEqual([
      ["v1", "auto", "closed"],
      ["v2", "forced-open", "open"],
    ]);
  });

  test("is one change with one event, and none when it is in force already", () => {
    const service = new Service();
    service.report({ cells: [cell({ ok: 1 }), cell({ version: "v2", ok: 1 })] });
    const event = { type: "breaker_forced", version: null, forced: "disabled" };
    const order = () => force(service.book, null, "disabled", service.nowMs);
    expect(order()).toEqual({ ok: true, events: [event], changed: true });
    expect(order()).toEqual({ ok: true, events: [], changed: false });
    expect(service.book.revision).toBe(1);
    service.report({ cells: [cell({ version: "v3", ok: 1, generation: 1 })] });
    expect(service.describe().breakers.map(({ generation }) => generation)).toEqual([1, 1, 1]);
    expect(force(service.book, "v2", "auto", service.nowMs).ok).toBe(true);
    expect(order().events).toEqual([event]);
  });

  test("taken back leaves nothing that was counted under it", () => {
    const service = new Service();
    service.force(null, "disabled");
    service.force(null, "auto");
    service.report({ cells: [cell({ fail: 100 }), cell({ fail: 100, generation: 1 })] });
    expect(service.v1).toMatchObject({ state: "closed", generation: 2, counts: { requests: 0 } });
    service.results({ fail: 100 });
    expect(service.v1.state).toBe("open");
  });
});

describe("a restart", () => {
  test("in half-open issues no permit beyond those that are out (B2)", () => {
    const service = halfOpen();
    const permits = service.permits(2);
    service.settle(permits[0]!, "ok");
    restart(service);
    expect(service.v1).toMatchObject({ state: "half-open", generation: 2, probes: { out: 1, succeeded: 1 } });
    expect(service.permits(3)).toEqual(["2.3"]);
    service.settle(permits[1]!, "ok");
    service.settle("2.3", "ok");
    expect(service.v1.state).toBe("closed");
  });

  test("remembers only versions that have had a transition", () => {
    const service = new Service();
    service.report({ cells: [cell({ ok: 1 }), cell({ version: "v2", fail: 20 })] });
    expect(rowOf(service.book, service.nowMs).breakers.map(({ version }) => version)).toEqual(["v2"]);
  });

  test("forgets counts, which delays a trip (B4)", () => {
    const service = new Service();
    service.results({ fail: 19 });
    restart(service);
    service.results({ fail: 1 });
    expect(service.v1).toMatchObject({ state: "closed", counts: { requests: 1 } });
  });

  test("keeps the times of open breakers and ramps, the backoff, orders and the view", () => {
    const service = new Service({ breaker: { ...breakerDefaults, halfOpenProbes: 1, recoveryMs: 30_000 } });
    service.force(null, "disabled");
    service.force(null, "auto");
    service.force("v2", "forced-open");
    service.report({ cells: [cell({ generation: 2, fail: 20 })] });
    service.wait(5_000);
    service.settle(service.permits()[0]!, "ok");
    const before = publishedOf(service.book, service.nowMs + 10);
    restart(service);
    expect(publishedOf(service.book, service.nowMs + 10)).toEqual(before);
    service.trip();
    expect(service.v1.openForMs).toBe(10_000);
    restart(service);
    expect(service.v1.openForMs).toBe(10_000);
  });

  test("of a service of which nothing was stored begins with an empty book", () => {
    expect(bookOf(rowOf(emptyBook(), 0), 0)).toMatchObject({ revision: 0, settings: { breaker: null, outlier: null } });
    expect(describeBook(emptyBook(), 0)).toEqual({
      revision: 0,
      forced: "auto",
      isolates: 0,
      breakers: [],
      ejected: [],
    });
    expect(tick(emptyBook(), startMs)).toEqual([]);
  });
});

describe("concurrency", () => {
  const ask = { inFlight: 0, held: 0, wanted: 8 };

  test("is granted to the newest report of an isolate, within the limit of the service", () => {
    const service = new Service({ maxConcurrent: 10 });
    expect(service.report({ seq: 5, concurrency: ask }).reply.concurrency?.granted).toBe(8);
    expect(service.report({ seq: 4, concurrency: ask }).reply.concurrency).toBeNull();
    expect(service.report({ isolate: "other", concurrency: ask }).reply.concurrency?.granted).toBeLessThanOrEqual(2);
  });

  test("is not spoken of without a limit, or when nobody asks", () => {
    expect(new Service().report({ concurrency: ask }).reply.concurrency).toBeNull();
    expect(new Service({ maxConcurrent: 10 }).report().reply.concurrency).toBeNull();
  });

  test("is not granted anew right after a restart: leases of before may be out", () => {
    const service = new Service({ maxConcurrent: 10 });
    service.report({ concurrency: ask });
    restart(service);
    expect(service.report({ isolate: "other", concurrency: ask }).reply.concurrency?.granted).toBe(0);
  });
});
