/** Stage: may the request take its permits. Usually no call to an object is waited for; `takePermits` bounds the wait. */
import { bounds } from "../bounds.ts";
import { limitKeyOf } from "../clients/limit-key.ts";
import { type Limited, takePermits } from "../clients/limiter.ts";
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

/**
 * Takes the permits of all enforced limits or of none; limits in shadow mode are decided apart and refuse nothing. A promise
 * only when something must be waited for.
 */
export function limit(
  route: Route,
  facts: RequestFacts,
  params: Readonly<Record<string, string>>,
  env: Env,
  ctx: ExecutionContext,
): LimitOutcome | Promise<LimitOutcome> {
  const extras = { params, route: route.name };
  const applied = route.limits.map((some) => applyLimit(some, facts, extras));
  const isAtOnce = applied.every((one) => !(one instanceof Promise));
  if (!isAtOnce) return Promise.all(applied).then((all) => limitBy(all, route, env, ctx));
  return limitBy(applied as readonly (Applied | null)[], route, env, ctx);
}

/** `applied`: what is to be taken of each limit of the route; null: the request lacks a key, and is refused for it. */
function limitBy(
  applied: readonly (Applied | null)[],
  route: Route,
  env: Env,
  ctx: ExecutionContext,
): LimitOutcome | Promise<LimitOutcome> {
  const [enforced, shadow]: [Applied[], Applied[]] = [[], []];
  let lacksKey = false;
  for (const [at, one] of applied.entries()) {
    const { mode, name } = route.limits[at]!;
    if (one !== null) (mode === "shadow" ? shadow : enforced).push(one);
    else if (mode === "shadow") lacksKey = true;
    else return unkeyed(name);
  }
  if (shadow.length === 0 && !lacksKey) {
    const outcome = decide(enforced, env, ctx);
    return outcome instanceof Promise ? outcome.then((done) => told(done, route)) : told(outcome, route);
  }
  return limitBeside(shadow, lacksKey, enforced, route, env, ctx);
}

async function limitBeside(
  shadow: readonly Applied[],
  lacksKey: boolean,
  enforced: readonly Applied[],
  route: Route,
  env: Env,
  ctx: ExecutionContext,
): Promise<LimitOutcome> {
  const would = await decide(shadow, env, ctx);
  const outcome = await decide(enforced, env, ctx);
  const isMarked = outcome.mark === "ok" && (lacksKey || would.mark === "denied");
  const mark = isMarked ? "shadow" : outcome.mark;
  const reports = [...outcome.reports, ...would.reports];
  return told({ ...outcome, reports, calls: would.calls + outcome.calls, mark }, route);
}

/** Logs an outcome that is not what it should be. */
function told(outcome: LimitOutcome, { name, limits }: Route): LimitOutcome {
  const { mark } = outcome;
  if (mark === "shadow" || mark === "degraded") {
    report(
      mark,
      name,
      limits.map((some) => some.name),
    );
  }
  return outcome;
}

function unkeyed(limit: string): LimitOutcome {
  const detail = "The request has none of the keys that the limit asks for.";
  const refusal = refused([limit], bounds.limitUnkeyedRetryMs, detail);
  return { refusal, delayMs: 0, reports: [], calls: 0, mark: "denied" };
}

/**
 * A limit as it is for this request, of which nothing is taken; null: without a key it refuses. A promise only when the key
 * is so long that it is hashed.
 */
export function applyLimit(
  limit: CompiledLimit,
  facts: RequestFacts,
  extras: KeyExtras,
): Applied | null | Promise<Applied> {
  const found = firstKey(limit.sources, facts, extras);
  if (found === null && limit.onMissingKey === "deny") return null;
  const key = found === null ? "shared" : keyText(found.source, found.value);
  const override = limit.overrides.find((some) => (some.isPrefix ? key.startsWith(some.key) : key === some.key));
  const policy = override?.policy ?? limit.policy;
  const cost = costOf(limit, facts);
  const name = limitKeyOf(limit.name, key);
  if (typeof name === "string") return { limit, key, ask: { key: name, cost, policy } };
  return name.then((hashed) => ({ limit, key, ask: { key: hashed, cost, policy } }));
}

/** A request's own word on its cost counts only as a whole number above 0, however large. */
function costOf({ cost, costHeader }: CompiledLimit, facts: RequestFacts): number {
  const said = costHeader === null ? null : facts.header(costHeader);
  return said !== null && /^0*[1-9]\d*$/.test(said) ? Math.min(Number(said), Number.MAX_SAFE_INTEGER) : cost;
}

function decide(all: readonly Applied[], env: Env, ctx: ExecutionContext): LimitOutcome | Promise<LimitOutcome> {
  if (all.length === 0) return { refusal: null, delayMs: 0, reports: [], calls: 0, mark: "ok" };
  const limited = takePermits(
    env,
    ctx,
    all.map(({ ask }) => ask),
  );
  return limited instanceof Promise ? limited.then((done) => outcomeOf(all, done)) : outcomeOf(all, limited);
}

function outcomeOf(all: readonly Applied[], { decision, calls }: Limited): LimitOutcome {
  const reports = all.map((one, at) => reportOf(one, at, decision));
  const isAllowed = decision.kind === "allowed";
  const mark = decision.degraded ? "degraded" : isAllowed ? "ok" : "denied";
  if (isAllowed) return { refusal: null, delayMs: decision.delayMs, reports, calls, mark };
  const violated = decision.violated.map((at) => all[at]!.limit.name);
  const isTooBig = decision.reason === "cost_exceeds_limit";
  const tooBig = "The request costs more than the limit ever allows; waiting does not help.";
  const refusal = refused(violated, decision.retryAfterMs, isTooBig ? tooBig : undefined);
  return { refusal, delayMs: 0, reports, calls, mark };
}

/** What the answer says of the limit at place `at`. */
function reportOf({ limit, ask }: Applied, at: number, decision: Limited["decision"]): LimitReport {
  const { name, headers } = limit;
  const { windows } = ask.policy;
  const standing = decision.standings[at]!;
  if (decision.kind === "allowed") return { name, headers, windows, standing };
  const isViolated = decision.violated.includes(at);
  // Retry-After is never earlier than a `t`.
  const resetMs = isViolated ? decision.retryAfterMs : Math.min(standing.resetMs, decision.retryAfterMs);
  const remaining = isViolated ? 0 : standing.remaining;
  return { name, headers, windows, standing: { window: standing.window, remaining, resetMs } };
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
