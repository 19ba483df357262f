import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { adopt, stateOf } from "../../../../src/core/breaking/sense.ts";
import { Client, published, strict, view } from "./sense-support.ts";

const openMs = strict.openMs;

/** An isolate that has seen four failures. */
function tripped(): Client {
  return new Client().results("fail", "fail", "fail", "fail");
}

const word = ({ sense, settings, nowMs }: Client) => stateOf(sense, settings, "v1", nowMs);

describe("the breaker of an isolate", () => {
  test("opens by the thresholds of the service, and refuses until it may try", () => {
    const client = new Client().results("ok", "ok", "fail");
    expect(word(client)).toBe("closed");
    client.results("fail");
    expect(word(client)).toBe("open");
    expect(client.admit()).toEqual({ kind: "refused", reason: "local", retryAfterMs: openMs });
    expect(client.wait(400).admit()).toMatchObject({ retryAfterMs: openMs - 400 });
    expect(word(client)).toBe("open");
    expect(client.refusal("v2"), "another version").toBeNull();
    expect(word(client.wait(openMs - 401))).toBe("open");
    expect(word(client.wait(1)), "a request may try").toBe("half-open");
  });

  test("opens by failures in a row after a success", () => {
    const client = new Client({ breaker: { ...strict, minimumRequests: 100, consecutiveFailures: 3 } });
    expect(client.results("ok", "fail", "fail").refusal()).toBeNull();
    expect(client.results("fail").refusal()).toBe("local");
  });

  test("opens by slow calls", () => {
    const client = new Client({ breaker: { ...strict, slowCallMs: 500 } });
    const permits = [1, 2, 3, 4].map(() => client.permit());
    client.wait(499).record(permits[0]!, "ok");
    client.wait(1);
    for (const permit of permits.slice(1)) client.record(permit, "ok");
    expect(client.refusal(), "not all were slow").toBeNull();
    const slow = new Client({ breaker: { ...strict, slowCallMs: 500 } });
    const all = [1, 2, 3, 4].map(() => slow.permit());
    slow.wait(500);
    for (const permit of all) slow.record(permit, "ok");
    expect(slow.refusal()).toBe("local");
  });

  test("does not open by what is ignored, or is too old", () => {
    const client = new Client().results("ignored", "ignored", "ignored", "ignored", "fail", "fail", "fail");
    expect(client.wait(strict.windowMs).results("fail").refusal()).toBeNull();
  });

  test("tries with one request at a time, and closes with a ramp when it succeeds", () => {
    const client = tripped();
    client.refusal();
    const probe = client.wait(openMs).permit();
    expect(probe).toMatchObject({ isLocalProbe: true, probe: null });
    expect(client.admit()).toEqual({ kind: "refused", reason: "local", retryAfterMs: 0 });
    expect(word(client)).toBe("half-open");
    client.record(probe, "ok");
    expect(word(client)).toBe("recovering");
    client.random = () => 0.0999;
    expect(client.refusal()).toBeNull();
    client.random = () => 0.1;
    expect(client.admit()).toEqual({ kind: "refused", reason: "recovering", retryAfterMs: 10_000 });
    client.wait(5_000).random = () => 0.5499;
    expect(client.refusal()).toBeNull();
    client.random = () => 0.55;
    expect(client.refusal()).toBe("recovering");
    client.wait(5_000).random = () => 0.9999;
    expect(client.refusal()).toBeNull();
    expect(word(client)).toBe("closed");
  });

  test("stays open for twice as long after each probe that fails, up to the most, and forgets that with the ramp", () => {
    const client = tripped();
    for (const waitMs of [openMs, 2 * openMs, strict.maxOpenMs, strict.maxOpenMs]) {
      expect(client.admit()).toMatchObject({ reason: "local", retryAfterMs: waitMs });
      client.record(client.wait(waitMs).permit(), "fail");
    }
    client.refusal();
    client.record(client.wait(strict.maxOpenMs).permit(), "ok");
    client.wait(strict.recoveryMs).results("fail", "fail", "fail", "fail");
    expect(client.admit()).toMatchObject({ retryAfterMs: openMs });
  });

  test("stays open for longer when it trips in its ramp", () => {
    const client = tripped();
    client.refusal();
    client.record(client.wait(openMs).permit(), "ok");
    client.random = () => 0;
    client.results("fail", "fail", "fail", "fail").random = () => 0.5;
    expect(client.admit()).toMatchObject({ reason: "local", retryAfterMs: 2 * openMs });
  });

  test("draws how long it stays open, so that isolates do not try in step", () => {
    const client = tripped();
    client.random = () => 0;
    expect(client.admit()).toMatchObject({ retryAfterMs: 0.8 * openMs });
    client.random = () => 0.9;
    expect(client.admit(), "once").toMatchObject({ retryAfterMs: 0.8 * openMs });
  });

  test("tries again at once when a probe said nothing", () => {
    const client = tripped();
    client.refusal();
    client.record(client.wait(openMs).permit(), "ignored");
    expect(client.permit().isLocalProbe).toBe(true);
  });

  test("takes a probe without a result for a failed one, and does not hear it later (B7)", () => {
    const client = tripped();
    client.refusal();
    const lost = client.wait(openMs).permit();
    expect(client.wait(bounds.probeResultMs - 1).admit()).toMatchObject({ retryAfterMs: 0 });
    expect(client.wait(1).admit()).toMatchObject({ reason: "local", retryAfterMs: 2 * openMs });
    client.record(lost, "ok");
    expect(client.refusal()).toBe("local");
    expect(client.wait(2 * openMs).permit().isLocalProbe).toBe(true);
  });

  test("does not count what began before it opened", () => {
    const client = new Client({ breaker: { ...strict, recoveryMs: 0 } });
    const old = [1, 2, 3, 4].map(() => client.permit());
    client.wait(1).results("fail", "fail", "fail", "fail").refusal();
    client.record(old[0]!, "fail");
    client.record(client.wait(openMs).permit(), "ok");
    for (const permit of old) client.record(permit, "fail");
    expect(client.refusal()).toBeNull();
  });

  test("does not count what began in another generation, or under an order", () => {
    const client = new Client();
    const old = [1, 2, 3, 4].map(() => client.permit());
    adopt(client.sense, published([view()]), client.nowMs);
    for (const permit of old) client.record(permit, "fail");
    expect(client.refusal()).toBeNull();
    const ordered = new Client();
    const order = (forced: "disabled" | "auto", revision: number) =>
      adopt(ordered.sense, published([], { forced, revision }), ordered.nowMs);
    order("disabled", 1);
    ordered.results("fail", "fail", "fail", "fail");
    order("auto", 2);
    expect(ordered.refusal()).toBeNull();
  });

  test("ends with an order", () => {
    const client = tripped();
    adopt(client.sense, published([], { forced: "disabled" }), client.nowMs);
    adopt(client.sense, published([], { revision: 2 }), client.nowMs);
    expect(client.refusal()).toBeNull();
  });

  test("has recovered for good at the end of its ramp, also when new settings have a longer one", () => {
    const client = tripped();
    client.refusal();
    client.record(client.wait(openMs).permit(), "ok");
    client.wait(strict.recoveryMs).permit();
    client.settings = { ...client.settings, breaker: { ...strict, recoveryMs: 2 * strict.recoveryMs } };
    expect(word(client)).toBe("closed");
  });

  test("begins anew when the object decides, or its window changes", () => {
    const client = tripped();
    adopt(client.sense, published([view()]), client.nowMs);
    expect(client.refusal()).toBeNull();
    client.results("fail", "fail", "fail");
    client.settings = { ...client.settings, breaker: { ...strict, windowMs: 5_000 } };
    expect(client.results("fail").refusal()).toBeNull();
  });

  test("is kept when the object decides on another version", () => {
    const client = tripped();
    adopt(client.sense, published([view({ version: "v2" })]), client.nowMs);
    expect(client.refusal()).toBe("local");
  });

  test("is there for a bounded number of versions", () => {
    const client = new Client();
    for (let n = 0; n <= bounds.senseVersionsMax; n++) client.record(client.permit(`v${n}`), "fail");
    expect(client.sense.locals.size).toBe(bounds.senseVersionsMax);
    expect(client.sense.locals.has("v0")).toBe(false);
  });
});
