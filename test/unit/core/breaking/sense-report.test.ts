import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { adopt, failed, replied, reportDueInMs } from "../../../../src/core/breaking/sense.ts";
import { Client, halfOpen, published, replyTo, strict, view } from "./sense-support.ts";
import { outlierDefaults } from "./service.ts";

const dueMs = ({ sense, settings, nowMs }: Client) => reportDueInMs(sense, settings, nowMs);

describe("a report", () => {
  test("is not due when there is nothing to say", () => {
    const client = new Client();
    expect(dueMs(client)).toBeNull();
    client.results("ok");
    client.report();
    expect(dueMs(client.wait(60_000))).toBeNull();
  });

  test("is due as long after the last as the object says, when there are results", () => {
    const client = new Client().results("ok");
    expect(dueMs(client), "the first").toBe(0);
    client.report({ nextReportMs: 4_000 });
    client.wait(100).results("ok");
    expect(dueMs(client)).toBe(3_900);
    expect(dueMs(client.wait(9_000))).toBe(0);
  });

  test("is one at a time, and given up when it has no answer for long", () => {
    const client = new Client().results("ok");
    const first = client.take();
    client.results("ok");
    expect(dueMs(client.wait(bounds.senseFlightMsMax - 1))).toBeNull();
    expect(dueMs(client.wait(1))).toBe(0);
    const second = client.take();
    expect(client.sense.failures).toBe(1);
    replied(client.sense, first, replyTo(first), client.nowMs, client.nowMs);
    expect(client.sense.flight, "the answer to another").toBe(second);
  });

  test("has all that was not told, once", () => {
    const client = new Client({ breaker: { ...strict, slowCallMs: 300 } });
    const slow = client.permit();
    client.results("fail", "ok", "ignored", "fail", "fail");
    client.record(client.permit("v2"), "ok", "b");
    client.wait(300).record(slow, "ok", "c");
    const report = client.report();
    const cell = { version: "v1", generation: 0, ageMs: 300, ok: 0, fail: 0, slow: 0, ignored: 0, tail: 0 };
    expect(report).toEqual({
      isolate: "i",
      seq: 1,
      settings: client.settings,
      origins: 3,
      cells: [
        { ...cell, origin: "a", ok: 1, fail: 3, ignored: 1, tail: 2 },
        { ...cell, origin: "b", version: "v2", ok: 1 },
        { ...cell, origin: "c", ageMs: 0, ok: 1, slow: 1 },
      ],
      probes: [],
      wants: [],
      concurrency: null,
    });
    expect(client.report()).toMatchObject({ seq: 2, cells: [] });
  });

  test("has a cell for each slot, and for each generation in which requests began", () => {
    const client = new Client();
    const old = client.permit();
    client.results("ok");
    client.wait(bounds.senseSlotMs).results("ok", "ok");
    adopt(client.sense, published([view({ generation: 4 })]), client.nowMs);
    client.results("ok").record(old, "fail");
    expect(client.take().cells.map(({ ok, fail, generation, ageMs }) => [ok, fail, generation, ageMs])).toEqual([
      [1, 0, 0, 1_000],
      [2, 0, 0, 0],
      [1, 0, 4, 0],
      [0, 1, 0, 0],
    ]);
  });

  test("has one cell for what an origin did in a slot, for each version", () => {
    const client = new Client().results("ok");
    client.wait(bounds.senseSlotMs - 1).results("ok");
    client.record(client.permit("v2"), "ok");
    expect(client.take().cells.map(({ version, ok, ageMs }) => [version, ok, ageMs])).toEqual([
      ["v1", 2, bounds.senseSlotMs - 1],
      ["v2", 1, 0],
    ]);
  });

  test("knows of slow calls among successes and failures alone", () => {
    const client = new Client({ breaker: { ...strict, slowCallMs: 300 } });
    const permits = [client.permit(), client.permit(), client.permit()] as const;
    client.wait(300);
    client.record(permits[0], "ok");
    client.record(permits[1], "fail");
    client.record(permits[2], "ignored");
    expect(client.take().cells).toMatchObject([{ ok: 1, fail: 1, ignored: 1, slow: 2 }]);
  });

  test("has a bounded number of cells; what does not fit is lost", () => {
    const client = new Client({ breaker: null, outlier: outlierDefaults });
    for (let n = 0; n < bounds.healthOriginsMax + 10; n++) client.record(client.permit(), "fail", `o${n}`);
    client.record(client.permit(), "fail", "o100");
    expect(client.take().cells).toHaveLength(bounds.healthItemsPerReportMax);
    expect(client.sense.runs.size).toBe(bounds.healthOriginsMax);
    client.record(client.permit(), "ok", "o0");
    expect(client.take().cells).toHaveLength(1);
  });

  test("is not for services that nobody judges", () => {
    const client = new Client({ breaker: null }).results("fail", "fail", "fail");
    expect(dueMs(client)).toBeNull();
    expect(client.take().cells).toEqual([]);
    const left = new Client().results("ok");
    left.settings = { ...left.settings, breaker: null };
    expect(dueMs(left), "any more").toBeNull();
    left.settings = { ...left.settings, outlier: outlierDefaults };
    expect(dueMs(left), "by their origins").toBe(0);
  });
});

describe("a report is due at once", () => {
  /** An isolate that has reported just now. */
  function reported(client = new Client()): Client {
    client.report();
    return client;
  }
  const leastMs = bounds.healthReportMsMin / bounds.senseUrgentDivisor;

  test("after failures of a version in a row, with a least pause", () => {
    const client = reported();
    client.record(client.permit(), "fail", "a");
    client.record(client.permit(), "fail", "b");
    expect(dueMs(client)).toBe(1_000);
    client.record(client.permit(), "fail", "c");
    expect(dueMs(client)).toBe(leastMs);
    expect(dueMs(client.wait(leastMs))).toBe(0);
  });

  test("after failures of an origin in a row, though others succeed", () => {
    const client = reported(new Client({ breaker: { ...strict, minimumRequests: 100 }, outlier: outlierDefaults }));
    const fail = () => {
      client.record(client.permit(), "fail", "a");
      client.record(client.permit(), "ok", "b");
    };
    fail();
    fail();
    client.record(client.permit(), "ok", "a");
    fail();
    fail();
    expect(dueMs(client)).toBe(1_000);
    fail();
    expect(dueMs(client)).toBe(leastMs);
    client.report();
    fail();
    expect(dueMs(client), "not at each failure").toBe(1_000);
    fail();
    expect(dueMs(client), "enough to eject it").toBe(leastMs);
  });

  test("after the isolate's own breaker has opened", () => {
    const client = reported().results("ok", "fail", "ok");
    expect(dueMs(client)).toBe(1_000);
    expect(dueMs(client.results("fail"))).toBe(leastMs);
  });

  test("not after what began before that", () => {
    const client = new Client();
    const late = client.permit();
    reported(client.wait(1).results("fail", "fail", "fail", "fail"));
    client.record(late, "fail", "b");
    expect(dueMs(client)).toBe(1_000);
  });

  test("after a probe, with its result, once", () => {
    const client = new Client();
    client.reportForProbes(["p1"]);
    const probe = client.permit();
    expect(dueMs(client)).toBe(12_000 - bounds.senseProbeLeadMs);
    client.record(probe, "ok");
    expect(dueMs(client)).toBe(leastMs);
    client.record(probe, "ok");
    expect(client.report(halfOpen).probes).toEqual([{ version: "v1", permit: "p1", generation: 2, outcome: "ok" }]);
    client.record(probe, "ok");
    expect(client.report(halfOpen).probes).toEqual([]);
  });

  test("when a snapshot tells of what is not well: its times may be old", () => {
    const client = reported();
    const pauseMs = bounds.healthReportMsMin / bounds.senseAskDivisor;
    const open = view({ state: "open", openForMs: 5_000 });
    adopt(client.sense, published([open], { revision: 2 }), client.nowMs);
    expect(dueMs(client)).toBe(pauseMs);
    client.report(published([open], { revision: 2 }));
    adopt(client.sense, published([open, view({ version: "v2" })], { revision: 3 }), client.nowMs);
    expect(dueMs(client), "known already").toBeNull();
    adopt(client.sense, published([view({ generation: 3, recoveringForMs: 0 })], { revision: 4 }), client.nowMs);
    expect(dueMs(client)).toBe(pauseMs);
    client.report({ revision: 4 });
    adopt(client.sense, published([view({ generation: 4, state: "open", forced: "forced-open" })], { revision: 5 }), 0);
    expect(dueMs(client), "an order has no time").toBeNull();
  });

  test("when a request was refused for want of a permit, not for each", () => {
    const client = new Client();
    client.report(halfOpen);
    expect(dueMs(client)).toBeNull();
    client.refusal();
    expect(dueMs(client)).toBe(250);
    for (let n = 0; n < 9; n++) client.refusal();
    expect(client.take().wants).toEqual([{ version: "v1", probes: 2 }]);
    client.refusal();
    adopt(client.sense, published([view({ generation: 3 })], { revision: 3 }), client.nowMs);
    expect(client.take().wants, "it is closed").toEqual([]);
  });

  test("for probes also when something else has changed meanwhile", () => {
    const client = new Client();
    client.report(halfOpen);
    client.refusal();
    adopt(client.sense, published([...halfOpen.breakers, view({ version: "v2" })], { revision: 3 }), client.nowMs);
    expect(client.take().wants).toEqual([{ version: "v1", probes: 1 }]);
  });

  test("after longer pauses when there are many isolates", () => {
    const client = new Client();
    client.report({ ...halfOpen, nextReportMs: 20_000 });
    client.refusal();
    expect(dueMs(client)).toBe(5_000);
  });

  test("when permits in hand are over", () => {
    const client = new Client();
    client.reportForProbes(["p1"], 100);
    expect(dueMs(client)).toBe(1_900);
    expect(dueMs(client.wait(2_000))).toBe(0);
    expect(client.take().probes).toMatchObject([{ permit: "p1", outcome: "ignored" }]);
  });
});

describe("a probe", () => {
  test("that still runs when its permit is about to end has failed, and its end tells nothing more", () => {
    const client = new Client();
    client.reportForProbes(["p1"]);
    const probe = client.permit();
    client.wait(12_000 - bounds.senseProbeLeadMs - 1);
    expect(client.report(halfOpen).probes).toEqual([]);
    expect(dueMs(client.wait(1))).toBe(0);
    expect(client.report(halfOpen).probes).toMatchObject([{ permit: "p1", outcome: "fail" }]);
    client.record(probe, "ok");
    const { probes, cells } = client.take();
    expect(probes).toEqual([]);
    expect(cells).toMatchObject([{ origin: "a", generation: 2, ok: 1 }]);
  });

  test("that is slow has failed, where slow calls count", () => {
    const client = new Client({ breaker: { ...strict, slowCallMs: 100, slowCallRate: 0.5 } });
    client.reportForProbes(["p1"]);
    const probe = client.permit();
    client.wait(100).record(probe, "ok");
    expect(client.take().probes).toMatchObject([{ outcome: "fail" }]);
  });

  test("counts for its permit alone, not for the isolate's breaker", () => {
    const client = new Client({ breaker: { ...strict, minimumRequests: 1 } });
    client.reportForProbes(["p1"]);
    client.results("fail");
    expect(client.sense.locals.size).toBe(0);
    const closed = new Client({ breaker: { ...strict, minimumRequests: 1 } });
    closed.record({ ...closed.permit(), probe: "p1" }, "fail");
    expect(closed.refusal()).toBeNull();
  });

  test("that ends after the breaker was taken off is told all the same", () => {
    const client = new Client();
    client.reportForProbes(["p1"]);
    const probe = client.permit();
    client.settings = { ...client.settings, breaker: null };
    client.record(probe, "fail");
    expect(client.take().probes).toMatchObject([{ permit: "p1", outcome: "fail" }]);
  });
});

describe("a report that failed", () => {
  test("loses its counts, and not the results of probes (B4)", () => {
    const client = new Client();
    client.reportForProbes(["p1"]);
    client.results("ok");
    failed(client.sense, client.take(), client.nowMs, client.random);
    expect(dueMs(client), "for the probe").toBe(1_000);
    const { cells, probes } = client.take();
    expect(cells).toEqual([]);
    expect(probes).toMatchObject([{ permit: "p1", outcome: "ok" }]);
  });

  test("tells a bounded number of results again, the first of them", () => {
    const client = new Client();
    const permits = Array.from({ length: bounds.healthItemsPerReportMax + 1 }, (_, index) => `p${index}`);
    client.reportForProbes(permits);
    client.results(...permits.map(() => "ok" as const));
    failed(client.sense, client.take(), client.nowMs, client.random);
    expect(client.take().probes.map(({ permit }) => permit)).toEqual(permits.slice(0, -1));
  });

  test("tells nothing of probes whose generation is over", () => {
    const client = new Client();
    client.reportForProbes(["p1"]);
    const report = client.results("ok").take();
    adopt(client.sense, published([view({ generation: 3 })], { revision: 3 }), client.nowMs);
    failed(client.sense, report, client.nowMs, client.random);
    expect(client.take().probes).toEqual([]);
  });

  test("is followed by the next after a pause that grows, also when it is urgent", () => {
    const client = new Client();
    const pauses = [1_000, 2_000, 4_000, 8_000, bounds.senseRetryMsMax, bounds.senseRetryMsMax];
    for (const pauseMs of pauses) {
      failed(client.sense, client.take(), client.nowMs, client.random);
      client.record(client.permit(), "fail", `${pauseMs}`);
      client.sense.isUrgent = true;
      expect(dueMs(client)).toBe(pauseMs);
      client.wait(pauseMs);
    }
    client.report();
    client.record(client.permit(), "ok");
    expect(dueMs(client)).toBe(1_000);
  });

  test("is given up once", () => {
    const client = new Client();
    const report = client.report();
    failed(client.sense, report, client.nowMs, client.random);
    expect(client.sense.failures).toBe(0);
  });
});
