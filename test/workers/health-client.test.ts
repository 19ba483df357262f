import { createExecutionContext, reset, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bounds } from "../../src/bounds.ts";
import type { CallOutcome, HealthReply, HealthReport, PublishedHealth } from "../../src/core/breaking/types.ts";
import { compileDocument } from "../../src/snapshot/compile.ts";
import type { ServiceView } from "../../src/snapshot/types.ts";
import { buildSnapshot } from "../../src/snapshot/view.ts";

type Client = typeof import("../../src/clients/health.ts");

/** The module's state is the isolate's. */
async function newIsolate(): Promise<Client> {
  vi.resetModules();
  return import("../../src/clients/health.ts");
}

let name = "";
let client: Client;
let aheadMs = 0;
beforeEach(async () => {
  name = `users-${crypto.randomUUID()}`;
  client = await newIsolate();
  aheadMs = 0;
  const realNow = Date.now.bind(Date);
  vi.spyOn(Date, "now").mockImplementation(() => realNow() + aheadMs);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

/** The service as a snapshot has it. */
function viewOf(settings: object, health: PublishedHealth | null = null): ServiceView {
  const origins = [{ id: "a", url: "https://a.example.com", version: "v1" }];
  const compiled = compileDocument(JSON.stringify({ services: { [name]: { origins, ...settings } } }), {}, 1);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  const published = new Map(health === null ? [] : [[name, health]]);
  return buildSnapshot(1, 1, compiled.config, new Map(), published).services.get(name)!;
}

/** An object in this test's hands. */
function fakeObject(answer: (report: HealthReport) => Promise<Partial<HealthReply>> = async () => ({})) {
  const reports: HealthReport[] = [];
  const stub = {
    async report(report: HealthReport): Promise<HealthReply> {
      reports.push(structuredClone(report));
      return {
        ...{ revision: 0, forced: "auto", breakers: [], ejected: [], seq: report.seq, probes: [], concurrency: null },
        ...{ isolates: 1, nextReportMs: bounds.healthReportMsMin },
        ...(await answer(report)),
      };
    },
  };
  return { reports, env: { ...env, SERVICE_HEALTH: { getByName: () => stub } } as unknown as Env };
}

/** A request from its admission to its outcome; its refusal, if it is refused. */
function request(view: ServiceView, outcome: CallOutcome, ctx: ExecutionContext, to: Env = env, by: Client = client) {
  const admission = by.admitCall(to, ctx, view, "v1", Date.now());
  if (admission.kind === "refused") return admission.reason;
  by.recordCall(to, ctx, view, admission.permit, "a", outcome, 1, Date.now());
  return null;
}
/** Runs something as one request does, and everything that it leaves running. */
async function whole<T>(run: (ctx: ExecutionContext) => T | Promise<T>): Promise<T> {
  const ctx = createExecutionContext();
  const result = await run(ctx);
  await waitOnExecutionContext(ctx);
  return result;
}
const sum = (reports: readonly HealthReport[], count: "ok" | "fail" | "ignored") =>
  reports.flatMap(({ cells }) => cells).reduce((total, cell) => total + cell[count], 0);

const breaking = { circuitBreaker: { openSeconds: 0.2, recoverySeconds: 0 } };
const limited = (maxConcurrentRequests: number) => ({ maxConcurrentRequests });
const forced = (service: PublishedHealth["forced"], version: PublishedHealth["forced"]): PublishedHealth => ({
  revision: 1,
  forced: service,
  breakers: [{ version: "v1", state: "closed", generation: 1, forced: version, openForMs: 0, recoveringForMs: null }],
  ejected: [],
});

describe("a service is sensed", () => {
  test.each<readonly [string, object, PublishedHealth | null, boolean]>([
    ["with nothing set", {}, null, false],
    ["with a breaker", { circuitBreaker: {} }, null, true],
    ["with ejection", { outlierDetection: {} }, null, true],
    ["with a limit of concurrency", limited(5), null, true],
    ["with nothing set and a published past", {}, forced("auto", "auto"), false],
    ["when it is forced open", {}, forced("forced-open", "auto"), true],
    ["when a version is forced open", {}, forced("auto", "forced-open"), true],
    ["when a breaker that it does not have is disabled", {}, forced("disabled", "disabled"), false],
  ])("%s", (_, settings, health, expected) => {
    expect(client.isSensed(viewOf(settings, health))).toBe(expected);
  });
  test("and an order is obeyed without any settings", () => {
    const view = viewOf({}, forced("auto", "forced-open"));
    expect(client.admitCall(env, createExecutionContext(), view, "v1", Date.now())).toMatchObject({
      reason: "forced-open",
    });
    expect(client.breakerState(view, "v1", Date.now())).toBe("forced-open");
    expect(client.breakerState(view, "v2", Date.now())).toBe("closed");
  });
});

describe("reports", () => {
  test("gather what happens between two, and the last results are told without another request", async () => {
    const object = fakeObject();
    const view = viewOf(breaking);
    await whole((ctx) => {
      for (let n = 0; n < 50; n++) request(view, n % 5 === 0 ? "ignored" : "ok", ctx, object.env);
      expect(object.reports).toHaveLength(1);
    });
    expect(object.reports).toHaveLength(2);
    expect([sum(object.reports, "ok"), sum(object.reports, "ignored")]).toEqual([40, 10]);
    expect(object.reports.map(({ seq, origins, concurrency }) => [seq, origins, concurrency])).toEqual([
      [1, 1, null],
      [2, 1, null],
    ]);
    expect(object.reports[0]?.isolate).toMatch(/^[0-9a-f-]{36}$/);
  });
  test("are made one at a time; one without an answer in time has failed, and the next comes after a pause", async () => {
    const error = vi.spyOn(console, "error").mockReturnValue();
    const object = fakeObject(() => new Promise(() => {}));
    const view = viewOf(breaking);
    const startMs = performance.now();
    await whole(async (ctx) => {
      request(view, "ok", ctx, object.env);
      while (performance.now() - startMs < 0.8 * bounds.healthReportMsMax) {
        request(view, "ok", ctx, object.env);
        await scheduler.wait(50);
      }
      expect(object.reports).toHaveLength(1);
      await scheduler.wait(bounds.healthReportMsMax);
      expect(error).toHaveBeenCalledTimes(1);
    });
    expect(object.reports).toHaveLength(2);
    expect(performance.now() - startMs).toBeGreaterThan(bounds.healthReportMsMax + 0.8 * bounds.healthReportMsMin);
    expect(error).toHaveBeenCalledTimes(1);
  });
  test("that were ended with their request without a word are replaced", async () => {
    const object = fakeObject(() => new Promise(() => {}));
    const view = viewOf(breaking);
    const ended = { waitUntil: () => {} } as unknown as ExecutionContext;
    vi.spyOn(scheduler, "wait").mockReturnValue(new Promise(() => {}));
    request(view, "ok", ended, object.env);
    request(view, "ok", ended, object.env);
    expect(object.reports).toHaveLength(1);
    aheadMs += bounds.senseFlightMsMax;
    request(view, "ok", ended, object.env);
    expect(object.reports).toHaveLength(2);
  });
  test("are waited for by one request; when it has waited for long a younger one takes over", async () => {
    const object = fakeObject(async () => ({ nextReportMs: 5 * bounds.healthWaitMsMax }));
    const view = viewOf(breaking);
    const wait = vi.spyOn(scheduler, "wait");
    await whole((ctx) => void request(view, "ok", ctx, object.env));
    wait.mockReset().mockReturnValue(new Promise(() => {}));
    const ctx = { waitUntil: vi.fn() } as unknown as ExecutionContext;
    for (let n = 0; n < 5; n++) request(view, "ok", ctx, object.env);
    expect(wait).toHaveBeenCalledTimes(1);
    aheadMs += bounds.healthWaitMsMax;
    for (let n = 0; n < 5; n++) request(view, "ok", ctx, object.env);
    expect(wait).toHaveBeenCalledTimes(2);
    expect(ctx.waitUntil).toHaveBeenCalledTimes(2);
    // Nobody is left to wait, but then the next request reports.
    aheadMs += 5 * bounds.healthWaitMsMax;
    request(view, "ok", ctx, object.env);
    expect(object.reports).toHaveLength(2);
    expect(sum(object.reports, "ok")).toBe(12);
  });
  test("are waited for anew after a wait that was ended with its request without a word", async () => {
    const object = fakeObject();
    const view = viewOf(breaking);
    await whole((ctx) => void request(view, "ok", ctx, object.env));
    const wait = vi.spyOn(scheduler, "wait").mockReturnValue(new Promise(() => {}));
    const ended = { waitUntil: () => {} } as unknown as ExecutionContext;
    request(view, "ok", ended, object.env);
    expect(wait).toHaveBeenCalledTimes(1);
    aheadMs += bounds.healthReportMsMin;
    request(view, "ok", ended, object.env);
    expect(object.reports).toHaveLength(2);
    await new Promise((answered) => setTimeout(answered, 0));
    wait.mockClear();
    request(view, "ok", ended, object.env);
    expect(wait).toHaveBeenCalledTimes(1);
  });
  test("are not made of a service that nothing judges", async () => {
    const object = fakeObject();
    const view = viewOf({}, forced("auto", "auto"));
    await whole((ctx) => void request(view, "fail", ctx, object.env));
    expect(object.reports).toEqual([]);
  });
});

describe("with the object", () => {
  test("a trip by the results of many isolates reaches each, by its report or by its snapshot", async () => {
    const view = viewOf(breaking);
    // Before the object is: a new isolate ends the objects of the one before.
    const stranger = await newIsolate();
    const isolates = [client, await newIsolate(), await newIsolate(), await newIsolate()];
    // Each sees too little to judge by itself, and none sees three failures in a row.
    const outcomes = ["fail", "fail", "ok", "fail", "fail", "ok"] as const;
    await Promise.all(
      isolates.map((isolate) =>
        whole((ctx) => {
          for (const outcome of outcomes) request(view, outcome, ctx, env, isolate);
        }),
      ),
    );
    const { breakers, revision } = await env.SERVICE_HEALTH.getByName(name).describe();
    expect(breakers[0]?.generation).toBeGreaterThan(0);
    const health: PublishedHealth = {
      ...{ revision, forced: "auto", ejected: [{ origin: "a", forMs: 1_000 }] },
      breakers: [
        { version: "v1", state: "open", generation: 1, forced: "auto", openForMs: 1_000, recoveringForMs: null },
      ],
    };
    const seen = viewOf(breaking, health);
    expect(stranger.breakerState(seen, "v1", Date.now())).toBe("open");
    expect(stranger.ejectedOf(seen, Date.now())).toEqual(new Set(["a"]));
    expect(stranger.ejectedOf(view, Date.now())).toEqual(new Set(["a"]));
    expect(await whole((ctx) => request(seen, "ok", ctx, env, stranger))).toBe("open");
  });

  test("an open breaker closes again by probes that were asked for by refused requests", async () => {
    const view = viewOf(breaking);
    await whole((ctx) => {
      for (let n = 0; n < 25; n++) request(view, "fail", ctx);
    });
    const outcomes = new Set<string | null>();
    await whole(async (ctx) => {
      const deadlineMs = performance.now() + 10_000;
      while (client.breakerState(view, "v1", Date.now()) !== "closed" && performance.now() < deadlineMs) {
        outcomes.add(request(view, "ok", ctx));
        await scheduler.wait(20);
      }
    });
    expect(client.breakerState(view, "v1", Date.now())).toBe("closed");
    expect(outcomes).toEqual(new Set(["open", "half-open", null]));
    const { breakers } = await env.SERVICE_HEALTH.getByName(name).describe();
    expect(breakers).toMatchObject([{ state: "closed", generation: 3 }]);
  });
});

describe("a slot", () => {
  test("is not needed without a limit", async () => {
    const object = fakeObject();
    const entry = await client.enterService(object.env, createExecutionContext(), viewOf(breaking));
    expect(entry).toEqual({ entered: true, calls: 0, enteredAtMs: null });
    client.leaveService(viewOf(breaking), entry);
    expect(object.reports).toEqual([]);
  });
  test("is waited for by the first request only, and what leaves makes room", async () => {
    const view = viewOf(limited(10));
    const ctx = createExecutionContext();
    const first = await client.enterService(env, ctx, view);
    expect(first).toMatchObject({ entered: true, calls: 1 });
    for (let n = 0; n < 20; n++) {
      const entry = await client.enterService(env, ctx, view);
      expect(entry).toMatchObject({ entered: true, calls: 0 });
      client.leaveService(view, entry);
    }
    client.leaveService(view, first);
    await waitOnExecutionContext(ctx);
  });
  test("is given to no more requests of all isolates than the limit says, and all are given", async () => {
    const view = viewOf(limited(6));
    const ctx = createExecutionContext();
    const isolates = [client, await newIsolate(), await newIsolate()];
    const entries: { readonly isolate: Client; readonly entry: Awaited<ReturnType<Client["enterService"]>> }[] = [];
    const enter = async (isolate: Client) => {
      const entry = await isolate.enterService(env, ctx, view);
      if (entry.entered) entries.push({ isolate, entry });
    };
    const deadlineMs = performance.now() + 10_000;
    while (entries.length < 6 && performance.now() < deadlineMs) {
      await Promise.all(isolates.flatMap((isolate) => Array.from({ length: 6 }, () => enter(isolate))));
      await scheduler.wait(50);
    }
    expect(entries).toHaveLength(6);
    for (const { isolate, entry } of entries) isolate.leaveService(view, entry);
    await waitOnExecutionContext(ctx);
    await whole(async (next) => {
      const entry = await client.enterService(env, next, view);
      expect(entry.entered).toBe(true);
      client.leaveService(view, entry);
    });
  });
  test("of a request that stays is asked for again before the object gives it away", async () => {
    const object = fakeObject(async ({ concurrency }) => ({
      concurrency: { granted: concurrency?.wanted ?? 0, ttlMs: bounds.concurrencyTtlMs },
    }));
    const view = viewOf(limited(10));
    const ctx = createExecutionContext();
    const entry = await client.enterService(object.env, ctx, view);
    await scheduler.wait(2.5 * bounds.healthReportMsMin);
    expect(object.reports.length).toBeGreaterThanOrEqual(3);
    expect(object.reports.at(-1)?.concurrency).toMatchObject({ inFlight: 1 });
    client.leaveService(view, entry);
    await waitOnExecutionContext(ctx);
    expect(object.reports.at(-1)?.concurrency).toMatchObject({ inFlight: 0 });
    expect(object.reports.length).toBeLessThanOrEqual(5);
  });
  test("is waited for no longer than the bound; while the object is away each isolate has its share", async () => {
    const error = vi.spyOn(console, "error").mockReturnValue();
    const object = fakeObject(() => new Promise(() => {}));
    const view = viewOf(limited(3 * bounds.concurrencyIsolatesAssumed));
    const ctx = createExecutionContext();
    const entries = await Promise.all(Array.from({ length: 8 }, () => client.enterService(object.env, ctx, view)));
    expect(entries.map(({ entered, calls }) => [entered, calls])).toEqual([
      ...Array(3).fill([true, 1]),
      ...Array(5).fill([false, 1]),
    ]);
    // The report itself has more time than a request, and nobody waits for it any more.
    expect(error).not.toHaveBeenCalled();
    expect(await client.enterService(object.env, ctx, view)).toMatchObject({ entered: false, calls: 0 });
    expect(error).not.toHaveBeenCalled();
  });
});

describe("what is sensed", () => {
  test("is forgotten of services without traffic, not of others", async () => {
    const object = fakeObject();
    const view = viewOf(breaking);
    await whole((ctx) => {
      for (let n = 0; n < 25; n++) request(view, "fail", ctx, object.env);
    });
    expect(client.breakerState(view, "v1", Date.now())).not.toBe("closed");
    const other = name;
    aheadMs += bounds.healthSenseKeptMs;
    name = `other-${name}`;
    client.breakerState(viewOf(breaking), "v1", Date.now());
    name = other;
    expect(
      client.breakerState(viewOf({ circuitBreaker: { openSeconds: 3_600, maxOpenSeconds: 3_600 } }), "v1", Date.now()),
    ).toBe("closed");
    await whole((ctx) => void request(view, "ok", ctx, object.env));
    // A new sense begins anew, under the isolate's name.
    expect(object.reports.at(-1)).toMatchObject({ seq: 1, isolate: object.reports[0]?.isolate });
  });
});
