import { describe, expect, test } from "vitest";
import { adopt, ejectedOf, failed, replied, stateOf } from "../../../../src/core/breaking/sense.ts";
import type { BreakerView } from "../../../../src/core/breaking/types.ts";
import { Client, halfOpen, published, replyTo, strict, view } from "./sense-support.ts";

const word = ({ sense, settings, nowMs }: Client) => stateOf(sense, settings, "v1", nowMs);

/** An isolate whose snapshot has this breaker. */
function knowing(breaker: Partial<BreakerView>): Client {
  const client = new Client();
  adopt(client.sense, published([view(breaker)]), client.nowMs);
  return client;
}

describe("a request", () => {
  test("is admitted where nothing is known", () => {
    const client = new Client();
    expect(client.permit()).toEqual({
      version: "v1",
      generation: 0,
      probe: null,
      isLocalProbe: false,
      startedAtMs: client.nowMs,
    });
    expect(word(client)).toBe("closed");
    adopt(client.sense, null, client.nowMs);
    expect(client.permit().generation).toBe(0);
  });

  test("has the generation of its version", () => {
    const client = knowing({ generation: 7 });
    expect(client.permit().generation).toBe(7);
    expect(client.permit("v2").generation).toBe(0);
  });

  test("is refused while the breaker is open, for as long as that lasts", () => {
    const client = knowing({ state: "open", openForMs: 5_000 });
    expect(client.wait(2_000).admit()).toEqual({ kind: "refused", reason: "open", retryAfterMs: 3_000 });
    expect(client.wait(3_000).admit()).toEqual({ kind: "refused", reason: "open", retryAfterMs: 0 });
    expect(word(client)).toBe("open");
    expect(client.refusal("v2")).toBeNull();
  });

  test("is refused while it is half-open, without a permit", () => {
    const client = knowing({ state: "half-open" });
    expect(client.admit()).toEqual({ kind: "refused", reason: "half-open", retryAfterMs: 0 });
    expect(word(client)).toBe("half-open");
  });

  test("is admitted at random after closing, by more and more", () => {
    const client = knowing({ recoveringForMs: 2_500 });
    client.random = () => 0.324;
    expect(client.refusal()).toBeNull();
    client.random = () => 0.326;
    expect(client.admit()).toEqual({ kind: "refused", reason: "recovering", retryAfterMs: 7_500 });
    expect(word(client)).toBe("recovering");
    client.wait(7_500).random = () => 0.999;
    expect(client.refusal()).toBeNull();
    expect(word(client)).toBe("closed");
  });

  test("is admitted at once after closing without a ramp", () => {
    const client = knowing({ recoveringForMs: 0 });
    client.settings = { ...client.settings, breaker: { ...strict, recoveryMs: 0 } };
    client.random = () => 0.999;
    expect(client.refusal()).toBeNull();
  });

  test("is refused when an operator says so, and admitted when he says so, whatever is known (B6)", () => {
    const client = knowing({ state: "open", forced: "forced-open" });
    expect(client.admit()).toEqual({ kind: "refused", reason: "forced-open", retryAfterMs: 0 });
    expect(word(client)).toBe("forced-open");
    client.settings = { ...client.settings, breaker: null };
    expect(client.refusal()).toBe("forced-open");
    expect(knowing({ state: "open", openForMs: 5_000, forced: "disabled" }).refusal()).toBeNull();
    const other = new Client().results("fail", "fail", "fail");
    adopt(other.sense, published([], { forced: "disabled" }), other.nowMs);
    expect(other.results("fail", "fail", "fail", "fail").refusal()).toBeNull();
    expect(word(other)).toBe("disabled");
  });

  test("is admitted to a service without a breaker, whatever was known", () => {
    const client = knowing({ state: "open", openForMs: 5_000 });
    client.settings = { ...client.settings, breaker: null };
    expect(client.results("fail", "fail", "fail", "fail", "fail").refusal()).toBeNull();
    expect(word(client)).toBe("closed");
  });

  test("meets the worse of the object's breaker and the isolate's (B5)", () => {
    const client = new Client().results("fail", "fail", "fail", "fail");
    expect(client.refusal()).toBe("local");
    adopt(client.sense, published([view({ state: "open", openForMs: 60_000 })]), client.nowMs);
    expect(client.wait(5_000).refusal()).toBe("open");
    expect(word(client)).toBe("open");
  });
});

describe("a view", () => {
  test("is taken over once, and never when it is older (B1)", () => {
    const client = new Client();
    const open = published([view({ state: "open", generation: 3, openForMs: 5_000 })], { revision: 5 });
    adopt(client.sense, open, client.nowMs);
    adopt(client.sense, open, client.wait(4_000).nowMs);
    adopt(client.sense, { ...open }, client.nowMs);
    expect(client.admit(), "its time does not begin again").toMatchObject({ retryAfterMs: 1_000 });
    adopt(client.sense, published([view({ generation: 2 })], { revision: 4 }), client.nowMs);
    client.report({ ...published([view({ generation: 2 })]), revision: 4 });
    expect(client.refusal()).toBe("open");
    adopt(client.sense, published([view({ generation: 5 })], { revision: 7 }), client.nowMs);
    expect(client.permit().generation).toBe(5);
    adopt(client.sense, null, client.nowMs);
    expect(client.permit().generation, "a snapshot without one").toBe(5);
  });

  test("of a snapshot keeps origins out from when it was heard of first", () => {
    const { sense, nowMs } = new Client();
    const out = published([], { ejected: [{ origin: "a", forMs: 1_000 }] });
    adopt(sense, out, nowMs);
    adopt(sense, { ...out }, nowMs + 900);
    expect(ejectedOf(sense, nowMs + 999).size).toBe(1);
    expect(ejectedOf(sense, nowMs + 1_000).size).toBe(0);
  });

  test("of a new generation has times of its own", () => {
    const client = knowing({ state: "open", openForMs: 1_000 });
    adopt(
      client.sense,
      published([view({ state: "open", generation: 3, openForMs: 5_000 })], { revision: 2 }),
      client.nowMs,
    );
    expect(client.admit()).toMatchObject({ reason: "open", retryAfterMs: 5_000 });
    const closed = (generation: number) => view({ generation, recoveringForMs: 0 });
    adopt(client.sense, published([closed(4)], { revision: 3 }), client.nowMs);
    adopt(client.sense, published([closed(6)], { revision: 4 }), client.wait(4_000).nowMs);
    client.random = () => 0.5;
    expect(client.admit()).toMatchObject({ reason: "recovering", retryAfterMs: 10_000 });
  });

  test("without a version says that it is closed, of generation 0, and forced as the service is", () => {
    const client = knowing({ state: "open", generation: 3, openForMs: 5_000 });
    adopt(client.sense, published([], { revision: 2 }), client.nowMs);
    expect(client.permit().generation).toBe(0);
    adopt(client.sense, published([], { revision: 3, forced: "forced-open" }), client.nowMs);
    expect(client.refusal()).toBe("forced-open");
  });

  test("of the same revision may have better times, but not worse", () => {
    const client = knowing({ state: "open", openForMs: 5_000 });
    client.report(published([view({ state: "open", openForMs: 3_000 })]));
    expect(client.admit()).toMatchObject({ retryAfterMs: 3_000 });
    client.report(published([view({ state: "open", openForMs: 4_000 })]));
    expect(client.admit()).toMatchObject({ retryAfterMs: 3_000 });
    const closed = knowing({ recoveringForMs: 1_000 });
    closed.random = () => 0.9;
    closed.report(published([view({ recoveringForMs: 4_000 })]));
    expect(closed.admit()).toMatchObject({ retryAfterMs: 6_000 });
    closed.report(published([view({ recoveringForMs: 3_000 })]));
    expect(closed.admit()).toMatchObject({ retryAfterMs: 6_000 });
  });

  test("keeps origins out for their time, and is the same set meanwhile", () => {
    const { sense, nowMs } = new Client();
    expect(ejectedOf(sense, nowMs).size).toBe(0);
    const ejected = [
      { origin: "a", forMs: 1_000 },
      { origin: "b", forMs: 2_000 },
      { origin: "c", forMs: 0 },
    ];
    adopt(sense, published([], { ejected }), nowMs);
    const both = ejectedOf(sense, nowMs);
    expect([...both]).toEqual(["a", "b"]);
    expect(ejectedOf(sense, nowMs + 999)).toBe(both);
    const later = ejected.map(({ origin, forMs }) => ({ origin, forMs: Math.max(0, forMs - 100) }));
    adopt(sense, published([], { revision: 2, ejected: later }), nowMs + 100);
    expect(ejectedOf(sense, nowMs + 999), "after a view that has the same origins").toBe(both);
    expect([...ejectedOf(sense, nowMs + 1_000)]).toEqual(["b"]);
    adopt(sense, published([], { revision: 3, ejected: [{ origin: "d", forMs: 1_000 }] }), nowMs + 1_000);
    expect([...ejectedOf(sense, nowMs + 1_000)]).toEqual(["d"]);
    const none = ejectedOf(sense, nowMs + 2_000);
    expect(none.size).toBe(0);
    adopt(sense, published([], { revision: 4 }), nowMs);
    expect(ejectedOf(sense, nowMs)).toBe(none);
    const out = (revision: number, ...ids: string[]) =>
      adopt(sense, published([], { revision, ejected: ids.map((origin) => ({ origin, forMs: 1_000 })) }), nowMs);
    out(5, "a", "b");
    out(6, "a", "c");
    expect([...ejectedOf(sense, nowMs)], "another in the place of one").toEqual(["a", "c"]);
  });
});

describe("a permit of the object", () => {
  test("lets one request through, which is known by it", () => {
    const client = new Client();
    client.reportForProbes(["p1", "p2"]);
    expect(client.permit()).toMatchObject({ probe: "p1", generation: 2, isLocalProbe: false });
    expect(client.permit()).toMatchObject({ probe: "p2" });
    expect(client.refusal()).toBe("half-open");
  });

  test("is good for its version alone", () => {
    const client = new Client();
    const half = (version: string) => view({ version, state: "half-open", generation: 2 });
    const probes = ["v1", "v2"].map((version) => {
      return { version, generation: 2, permits: ["2.1"], useWithinMs: 2_000, reportWithinMs: 12_000 };
    });
    client.report({ ...published([half("v1"), half("v2"), half("v3")], { revision: 2 }), probes });
    expect(client.refusal("v3")).toBe("half-open");
    const [second, first] = [client.permit("v2"), client.permit("v1")];
    expect([client.refusal("v1"), client.refusal("v2")]).toEqual(["half-open", "half-open"]);
    client.record(first, "fail");
    client.record(first, "ok");
    expect(client.sense.results).toMatchObject([{ version: "v1", permit: "2.1", outcome: "fail" }]);
    client.record(second, "ok");
    expect(client.take().probes).toMatchObject([{ version: "v1" }, { version: "v2", outcome: "ok" }]);
  });

  test("has a result of its own, in whichever order requests end", () => {
    const client = new Client();
    client.reportForProbes(["p1", "p2", "p3"]);
    const [, second, third] = [client.permit(), client.permit(), client.permit()];
    client.record(third!, "fail");
    client.record(second!, "ok");
    expect(client.take().probes.map(({ permit, outcome }) => [permit, outcome])).toEqual([
      ["p3", "fail"],
      ["p2", "ok"],
    ]);
  });

  test("is kept by a report until its time is over", () => {
    const client = new Client();
    client.reportForProbes(["p1"]);
    expect(client.report(halfOpen).probes).toEqual([]);
    expect(client.permit().probe).toBe("p1");
  });

  test("counts from when it was asked for, and is given back when it was not used", () => {
    const client = new Client();
    client.reportForProbes(["p1", "p2"], 500);
    expect(client.wait(1_499).permit().probe).toBe("p1");
    expect(client.wait(1).refusal()).toBe("half-open");
    expect(client.take().probes).toEqual([{ version: "v1", permit: "p2", generation: 2, outcome: "ignored" }]);
  });

  test("is void after a transition, for requests and for their results", () => {
    const client = new Client();
    client.reportForProbes(["p1", "p2", "p3"]);
    const probe = client.permit();
    client.record(client.permit(), "ok");
    adopt(client.sense, published([view({ generation: 3 })], { revision: 3 }), client.nowMs);
    expect(client.permit().probe).toBeNull();
    client.record(probe, "ok");
    expect(client.wait(60_000).take().probes).toEqual([]);
  });

  test("is not taken when its generation is over, or the answer is late", () => {
    const client = new Client();
    const late = client.take();
    const probes = [{ version: "v1", generation: 1, permits: ["p"], useWithinMs: 2_000, reportWithinMs: 12_000 }];
    client.report({ ...halfOpen, probes });
    expect(client.refusal(), "another generation").toBe("half-open");
    const answer = replyTo(late, { ...halfOpen, probes: [{ ...probes[0]!, generation: 2 }] });
    replied(client.sense, late, answer, client.nowMs, client.nowMs);
    expect(client.refusal(), "not the last report").toBe("half-open");
  });
});

describe("while the object is away", () => {
  /** Open for 5 s when the object stopped to answer. */
  function alone(): Client {
    const client = knowing({ state: "open", openForMs: 5_000 });
    failed(client.sense, client.take(), client.nowMs, client.random);
    return client;
  }

  test("an open breaker stays open for its time, and for one of the isolate's own", () => {
    const client = alone();
    expect(client.wait(4_999).refusal()).toBe("open");
    expect(client.wait(1).admit()).toMatchObject({ reason: "local", retryAfterMs: strict.openMs });
    const probe = client.wait(strict.openMs).permit();
    expect(probe).toMatchObject({ isLocalProbe: true, generation: 1 });
    expect(client.refusal()).toBe("local");
    client.record(probe, "fail");
    expect(client.admit()).toMatchObject({ reason: "local", retryAfterMs: 2 * strict.openMs });
    expect(word(client)).toBe("open");
  });

  test("a probe that succeeds opens the way, with a ramp, until the object says otherwise", () => {
    const client = alone();
    client.wait(5_000).refusal();
    client.record(client.wait(strict.openMs).permit(), "ok");
    expect(word(client)).toBe("recovering");
    client.random = () => 0.05;
    expect(client.refusal()).toBeNull();
    client.wait(strict.recoveryMs).random = () => 0.999;
    client.results("ok", "ok", "fail");
    expect(word(client)).toBe("closed");
    client.report(published([view({ state: "open", openForMs: 0 })]));
    expect(client.refusal()).toBe("open");
    expect(word(client)).toBe("open");
  });

  test("probes of the object are asked for all the same", () => {
    const client = alone();
    client.wait(5_000).refusal();
    client.refusal();
    client.refusal();
    expect(client.take().wants).toEqual([{ version: "v1", probes: 2 }]);
  });

  test("a probe that the object's answer has overtaken begins nothing", () => {
    const client = alone();
    client.wait(5_000).refusal();
    const probe = client.wait(strict.openMs).permit();
    client.report(published([view({ state: "open", openForMs: 0 })]));
    client.record(probe, "ok");
    expect(word(client)).toBe("open");
    failed(client.sense, client.take(), client.nowMs, client.random);
    expect(client.refusal()).toBe("local");
  });

  test("nothing changes for a breaker that is closed", () => {
    const client = new Client();
    failed(client.sense, client.take(), client.nowMs, client.random);
    expect(client.refusal()).toBeNull();
  });

  test("a late answer is heard, but the object does not count as there", () => {
    const client = alone();
    const report = client.take();
    failed(client.sense, report, client.nowMs, client.random);
    const closed = replyTo(report, { ...published([view({ generation: 2 })]), revision: 2 });
    replied(client.sense, report, closed, client.nowMs, client.nowMs);
    expect(client.permit().generation).toBe(2);
    expect(client.sense.failures).toBe(2);
  });
});
