/** The object of a limit fails or hangs: `onUnavailable` decides, within its bound and in time. */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bounds } from "../../../src/bounds.ts";
import { policyOf } from "../../../src/core/limiting/policy.ts";
import { shareBound } from "../../../src/core/limiting/share.ts";
import { type Gateway, startGateway } from "../../support/gateway.ts";
import { type HttpOrigin, startHttpOrigin } from "../../support/http-origin.ts";
import { type Answer, admitted, ask, callsOf, decided, run } from "./load.ts";

const isolates = 4;
/** What the machine may add to a wait: few cores, shared with other tests. */
const slackMs = 350;

const windows = [{ limit: 1_000, seconds: 10 }];
const key = ["header:x-key"];
const rateLimits = {
  share: { windows, key, onUnavailable: "share" },
  deny: { windows, key, onUnavailable: "deny" },
  allow: { windows, key, onUnavailable: "allow" },
  exact: { windows, key, onUnavailable: "deny", consistency: "exact" },
  approximate: { windows, key, onUnavailable: "deny", consistency: "approximate" },
  // Let through whatever comes, if it were taken for away.
  small: { algorithm: "fixed-window", windows: [{ limit: 10, per: "month" }], key, onUnavailable: "allow" },
};
type Name = keyof typeof rateLimits;

let gateway: Gateway;
let origin: HttpOrigin;

beforeAll(async () => {
  origin = await startHttpOrigin("here");
  const routes = [
    ...Object.keys(rateLimits).map((name) => ({ name, limits: [name] })),
    { name: "both", limits: ["allow", "small"] },
  ].map(({ name, limits }) => ({
    name,
    service: "s",
    matches: [{ path: { prefix: `/${name}` } }],
    rateLimits: limits,
  }));
  const services = { s: { origins: [{ id: "o", url: origin.url }] } };
  const config = { gateway: { debugHeaders: true }, services, rateLimits, routes };
  gateway = await startGateway({ isolates, limiterProxy: true, config });
});

afterEach(() => gateway.limiters.set("pass"));

afterAll(async () => {
  await gateway?.dispose();
  await origin?.close();
});

const marks = (answers: readonly Answer[]) => new Set(answers.map((answer) => decided(answer, "limit")));
const callsMade = async (name: Name): Promise<number> => (await gateway.limiters.calls())[name] ?? 0;

/** Requests one after the other, isolate by isolate. */
async function inTurn(path: string, count: number, headers: Record<string, string>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < count; at++) answers.push(await ask(gateway.urls[at % isolates] + path, headers));
  return answers;
}

/** Permits that isolates have in hand. */
async function leased(name: Name, text: string): Promise<number> {
  const response = await gateway.admin(`/v1/limits/${name}/${encodeURIComponent(`header:x-key=${text}`)}`);
  const { leases } = (await response.json()) as { leases: { permits: number }[] };
  return leases.reduce((sum, { permits }) => sum + permits, 0);
}

describe("every call to the object fails", () => {
  it("deny: 429 with Retry-After, marked as degraded", async () => {
    await gateway.limiters.set("fail");
    const answers = await inTurn("/deny", 12, { "x-key": "denied" });
    for (const { status, headers } of answers) {
      expect(status).toBe(429);
      expect(Number(headers["retry-after"])).toBeGreaterThan(0);
    }
    expect(marks(answers)).toEqual(new Set(["degraded"]));
  });

  it("allow: everything passes, marked as degraded", async () => {
    await gateway.limiters.set("fail");
    const headers = { "x-key": "allowed" };
    const { answers } = await run({ urls: gateway.urls, path: "/allow", rate: 400, durationMs: 1_000, headers });
    expect(admitted(answers).length).toBe(answers.length);
    expect(marks(answers)).toEqual(new Set(["degraded"]));
  });

  it.each([
    ["never answered", 0],
    ["answered before", isolates],
  ])("share: no more than its bound, and most of it; the object has %s", async (text, known) => {
    const headers = { "x-key": text };
    let inHand = 0;
    if (known > 0) {
      // Each isolate asks twice, the second time to hear of all others.
      await inTurn("/share", 2 * isolates, headers);
      await wait(700);
      await inTurn("/share", isolates, headers);
      inHand = await leased("share", text);
    }
    await gateway.limiters.set("fail");
    const startMs = Date.now();
    const { answers } = await run({ urls: gateway.urls, path: "/share", rate: 600, durationMs: 3_000, headers });
    const policy = policyOf({
      windows: [{ kind: "sliding-window", limit: 1_000, windowMs: 10_000 }],
      consistency: "leased",
      onUnavailable: "share",
      version: 1,
    });
    const bound = shareBound(policy, known, isolates, Date.now() - startMs);
    const passed = admitted(answers).length;
    console.log(`share, ${text}: ${passed} of ${answers.length} admitted, bound ${bound} and ${inHand} leased before`);
    expect(passed).toBeLessThanOrEqual(bound + inHand);
    expect(passed).toBeGreaterThan(0.7 * bound);
    expect(marks(answers.filter(({ status }) => status === 429))).toEqual(new Set(["degraded"]));
  });

  it("the object is left alone, and asked again when it is back", async () => {
    const headers = { "x-key": "breaker" };
    await gateway.limiters.set("fail");
    const before = await callsMade("deny");
    const spanMs = 3_000;
    const { answers } = await run({ urls: gateway.urls, path: "/deny", rate: 200, durationMs: spanMs, headers });
    const made = (await callsMade("deny")) - before;
    console.log(`${made} calls for ${answers.length} requests while the object fails`);
    expect(made).toBeLessThanOrEqual(isolates * (bounds.limiterFailuresMax + 1 + spanMs / bounds.limiterOpenMs));
    await gateway.limiters.set("pass");
    await wait(bounds.limiterOpenMs + 100);
    const after = await inTurn("/deny", 2 * isolates, headers);
    expect(after.map(({ status }) => status)).toEqual(after.map(() => 200));
    expect(marks(after)).toEqual(new Set(["ok"]));
  });

  it("a limit on the same route whose object answers stays strict", async () => {
    await gateway.limiters.set("fail", "allow");
    const headers = { "x-key": "both" };
    const { answers } = await run({ urls: gateway.urls, path: "/both", rate: 100, durationMs: 1_500, headers });
    expect(admitted(answers).length).toBe(10);
  });
});

describe("the object does not answer", () => {
  it.each([
    ["share", "degraded"],
    ["deny", "degraded"],
    ["allow", "degraded"],
    ["exact", "degraded"],
    ["approximate", "degraded"],
  ])("%s: a request waits for the budget at most, and soon nobody waits", async (name, mark) => {
    await gateway.limiters.set("hang");
    const headers = { "x-key": `hang-${name}` };
    const { answers } = await run({ urls: [gateway.url], path: `/${name}`, rate: 100, durationMs: 2_000, headers });
    const took = answers.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
    const waiting = answers.filter((answer) => callsOf(answer) > 0).length;
    console.log(
      `${name}, object hangs: median ${took[took.length >> 1]} ms, longest ${took.at(-1)} ms, ` +
        `${waiting} of ${answers.length} waited`,
    );
    expect(took.at(-1)).toBeLessThan(bounds.limiterCallMsMax + slackMs);
    expect(took[took.length >> 1]).toBeLessThan(bounds.limiterCallMsMax / 2);
    // Those of the first 150 ms, and one that finds out each second.
    expect(waiting).toBeLessThan(answers.length / 4);
    expect(decided(answers.at(-1)!, "limit")).toBe(mark);
  });
});

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});
