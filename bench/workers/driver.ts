/** Calls the gateway's objects directly: `POST /limiter/N` and `POST /health/N` make N calls of one object at once. */
interface Bindings {
  readonly RATE_LIMITER: Env["RATE_LIMITER"];
  readonly SERVICE_HEALTH: Env["SERVICE_HEALTH"];
}

const isolate = "bench";
/** Rises with every call, as that of an isolate does. */
let seq = 0;

const calls: Readonly<Record<string, (env: Bindings) => Promise<unknown>>> = {
  // One permit for one request, without a lease: what a limit with `exact` asks.
  limiter: async (env) => {
    const windows = [{ kind: "fixed-window", limit: 1_000_000_000, windowMs: 60_000 }] as const;
    const query = { isolate, seq: seq++, need: 1, rate: 1_000, exact: true, spent: 0, reports: [], windows };
    const reply = await env.RATE_LIMITER.getByName("bench|global").lease({ ...query, policyVersion: 1 });
    if (reply.granted < 1) throw new Error("the limiter refused");
  },
  // What an isolate tells of a slot in which two origins of two versions answered.
  health: async (env) => {
    const counts = { generation: 0, ageMs: 500, ok: 100, fail: 1, slow: 0, ignored: 0, tail: 0 };
    const cells = ["v1", "v2"].map((version) => ({ version, origin: version, ...counts }));
    const settings = { revision: 1, breaker: null, outlier: null, maxConcurrent: 0 };
    const report = { isolate, seq: seq++, settings, origins: 2, cells, probes: [], wants: [], concurrency: null };
    await env.SERVICE_HEALTH.getByName("bench").report(report);
  },
};

export default {
  async fetch(request, env) {
    const [, name = "", count] = new URL(request.url).pathname.split("/");
    const call = calls[name];
    if (call === undefined) return new Response(null, { status: 404 });
    await Promise.all(Array.from({ length: Number(count) }, () => call(env)));
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Bindings>;
