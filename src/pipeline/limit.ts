/** Stage: may the request take its permits. Usually no call to an object is waited for; `takePermits` bounds the wait. */
import { bounds } from "../bounds.ts";
import { limitKeyOf } from "../clients/limit-key.ts";
import { takePermits } from "../clients/limiter.ts";
import type { RequestFacts } from "../core/facts.ts";
import { keyText } from "../core/keys/key-text.ts";
import { firstKey, type KeyExtras } from "../core/keys/keys.ts";
import type { Ask } from "../core/limiting/decision.ts";
import type { LimitReport } from "../core/limiting/fields.ts";
import { GatewayError } from "../errors.ts";
import type { CompiledLimit, Route } from "../snapshot/types.ts";

/** What was decided. `mark` is for `sluice-decision`. */
export interface LimitOutcome {
  /** The 429; null when the request goes on. */
  readonly refusal: GatewayError | null;
  /** The request is to be held back this long. */
  readonly delayMs: number;
  readonly reports: readonly LimitReport[];
  readonly calls: number;
  /** `ok`; `denied`; `shadow`: only a limit in shadow mode would have refused; `degraded`: a limiter was away. */
  readonly mark: "ok" | "denied" | "shadow" | "degraded";
}

/** Decisions of note since the last line of the log. */
let marked = 0;
let loggedAtMs = 0;

/** A limit with the key and the numbers that it has for this request. */
export interface Applied {
  readonly limit: CompiledLimit;
  /** The key in words: `<source>=<value>`, `global` or `shared`. */
  readonly key: string;
  readonly ask: Ask;
}

/** Takes the permits of all enforced limits or of none; limits in shadow mode are decided apart and refuse nothing. */
export async function limit(
  route: Route,
  facts: RequestFacts,
  params: Readonly<Record<string, string>>,
  env: Env,
  ctx: ExecutionContext,
): Promise<LimitOutcome> {
  const all: Applied[] = [];
  let lacksKey = false;
  for (const limit of route.limits) {
    const one = await applyLimit(limit, facts, { params, route: route.name });
    if (one === null && limit.mode === "shadow") {
      lacksKey = true;
      continue;
    }
    if (one === null) {
      const refusal = refused(
        [limit.name],
        bounds.limitUnkeyedRetryMs,
        "The request has none of the keys that the limit asks for.",
      );
      return { refusal, delayMs: 0, reports: [], calls: 0, mark: "denied" };
    }
    all.push(one);
  }
  const shadow = await decide(
    all.filter(({ limit }) => limit.mode === "shadow"),
    env,
    ctx,
  );
  const enforced = await decide(
    all.filter(({ limit }) => limit.mode === "enforce"),
    env,
    ctx,
  );
  const calls = shadow.calls + enforced.calls;
  const wouldRefuse = lacksKey || shadow.mark === "denied";
  const mark = enforced.mark === "ok" && wouldRefuse ? "shadow" : enforced.mark;
  if (mark === "shadow" || mark === "degraded")
    report(
      mark,
      route.name,
      route.limits.map(({ name }) => name),
    );
  return { ...enforced, reports: [...enforced.reports, ...shadow.reports], calls, mark };
}

/** A limit as it is for this request, of which nothing is taken; null: without a key it refuses. */
export async function applyLimit(
  limit: CompiledLimit,
  facts: RequestFacts,
  extras: KeyExtras,
): Promise<Applied | null> {
  const found = firstKey(limit.sources, facts, extras);
  if (found === null && limit.onMissingKey === "deny") return null;
  const key = found === null ? "shared" : keyText(found.source, found.value);
  const override = limit.overrides.find((some) => (some.isPrefix ? key.startsWith(some.key) : key === some.key));
  const policy = override?.policy ?? limit.policy;
  const name = limitKeyOf(limit.name, key);
  const ask = { key: typeof name === "string" ? name : await name, cost: costOf(limit, facts), policy };
  return { limit, key, ask };
}

/** A request's own word on its cost counts only as a whole number above 0, however large. */
function costOf({ cost, costHeader }: CompiledLimit, facts: RequestFacts): number {
  const said = costHeader === null ? null : facts.header(costHeader);
  return said !== null && /^0*[1-9]\d*$/.test(said) ? Number(said) : cost;
}

async function decide(all: readonly Applied[], env: Env, ctx: ExecutionContext): Promise<LimitOutcome> {
  if (all.length === 0) return { refusal: null, delayMs: 0, reports: [], calls: 0, mark: "ok" };
  const { decision, calls } = await takePermits(
    env,
    ctx,
    all.map(({ ask }) => ask),
  );
  const isAllowed = decision.kind === "allowed";
  const reports = all.map(({ limit, ask }, at): LimitReport => {
    const standing = decision.standings[at]!;
    const isViolated = !isAllowed && decision.violated.includes(at);
    // Retry-After is never earlier than a `t`.
    const laterMs = isAllowed ? standing.resetMs : Math.min(standing.resetMs, decision.retryAfterMs);
    const resetMs = isViolated ? decision.retryAfterMs : laterMs;
    const { name, headers } = limit;
    const now = { ...standing, remaining: isViolated ? 0 : standing.remaining, resetMs };
    return { name, headers, windows: ask.policy.windows, standing: now };
  });
  const mark = decision.degraded ? "degraded" : isAllowed ? "ok" : "denied";
  if (isAllowed) return { refusal: null, delayMs: decision.delayMs, reports, calls, mark };
  const violated = decision.violated.map((at) => all[at]!.limit.name);
  const isTooBig = decision.reason === "cost_exceeds_limit";
  const tooBig = "The request costs more than the limit ever allows; waiting does not help.";
  const refusal = refused(violated, decision.retryAfterMs, isTooBig ? tooBig : undefined);
  return { refusal, delayMs: 0, reports, calls, mark };
}

/** The 429, with what draft-ietf-httpapi-ratelimit-headers has in its problem. */
function refused(violated: readonly string[], retryAfterMs: number, detail?: string): GatewayError {
  return new GatewayError("rate_limited", {
    ...(detail !== undefined && { detail }),
    members: { type: "https://iana.org/assignments/http-problem-types#quota-exceeded", "violated-policies": violated },
    headers: { "retry-after": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) },
  });
}

/** Logs decisions that were not what they should be, at most one a pause, with how many there were. */
function report(mark: "shadow" | "degraded", route: string, names: readonly string[]): void {
  marked++;
  const nowMs = Date.now();
  if (nowMs - loggedAtMs < bounds.limitEventPauseMs) return;
  console.warn(JSON.stringify({ event: "rate_limit", mark, route, limits: names, decisions: marked }));
  loggedAtMs = nowMs;
  marked = 0;
}
