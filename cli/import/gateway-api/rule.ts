/** One rule of an HTTPRoute as one route of ours. */
import { bounds } from "../../../src/bounds.ts";
import type { Draft } from "../draft.ts";
import type { Part } from "../reader.ts";
import type { Route } from "../types.ts";
import type { BackendSets } from "./backends.ts";
import { backendFilters, type FilterContext, filtersOf } from "./filters.ts";
import { matchesOf } from "./match.ts";

/** Where the rule stands. */
export interface RuleContext {
  readonly name: string;
  readonly hosts: string[] | undefined;
  readonly namespace: string;
  readonly sets: BackendSets;
  readonly draft: Draft;
}

/** Adds the route of a rule, unless its conditions or its redirect cannot be said. */
export function addRule(rule: Part, { name, hosts, namespace, sets, draft }: RuleContext): void {
  const matches = matchesOf(rule);
  if (matches === undefined) {
    rule.lose("rule without a match that is possible", "It was left out.");
    return;
  }
  const context = { matches, namespace, sets };
  const { members, isOver } = filtersOf(rule, context);
  if (isOver) {
    rule.lose("rule that redirects", "It was left out.");
    return;
  }
  const where = { ...(hosts && { hosts }), matches };
  const { redirect, response, cors } = members;
  if (redirect) {
    draft.addRoute(name, { ...where, redirect, ...(response && { response }), ...(cors && { cors }) }, rule);
    return;
  }
  draft.addRoute(name, { ...where, ...members, ...targetOf(rule, context, draft), ...timingOf(rule) }, rule);
}

/** The service with its split; a rule without a usable backend answers 500, as the Gateway API has it. */
function targetOf(rule: Part, context: FilterContext, draft: Draft): Pick<Route, "service" | "traffic" | "fallback"> {
  const refs = rule.get("backendRefs").items();
  const weights = refs.map((ref) => ref.get("weight").number() ?? 1);
  const [first, ...others] = refs;
  if (first === undefined || !weights.some((weight) => weight > 0)) {
    rule.get("backendRefs").remark("rule without a backend", "The answer is 500, by a service that nobody may join.");
    return {
      service: draft.addService("no-backend", { registration: { allowedHosts: [] } }, rule),
      fallback: { status: 500 },
    };
  }
  const { service, versions } = context.sets([first, ...others], context.namespace);
  const rewrites = refs.map((ref) => backendFilters(ref, context));
  const isPlain = refs.length === 1 && rewrites[0] === undefined && !first.get("weight").exists;
  if (isPlain) return { service };
  const split = refs.map((_, index) => {
    const [version = "", weight = 1, rewrite] = [versions[index], weights[index], rewrites[index]];
    return { version, weight, ...(rewrite && { rewrite }) };
  });
  for (const ref of refs.slice(bounds.splitVersionsMax)) {
    ref.drop("backend", `A split has at most ${bounds.splitVersionsMax} entries.`);
  }
  return { service, traffic: [{ split: split.slice(0, bounds.splitVersionsMax) }] };
}

function timingOf(rule: Part): Pick<Route, "timeouts" | "retries"> {
  const [request, attempt] = [rule.get("timeouts").get("request"), rule.get("timeouts").get("backendRequest")];
  const [requestMs, attemptMs] = [durationOf(request), durationOf(attempt)];
  const isLong = requestMs === undefined && (attemptMs ?? 0) > bounds.requestTimeoutMsDefault;
  const timeouts = {
    ...(requestMs !== undefined && { requestMs }),
    ...(isLong && { requestMs: 0 }),
    ...(attemptMs !== undefined && { attemptMs }),
  };
  const retries = retriesOf(rule.get("retry"));
  return { ...(Object.keys(timeouts).length > 0 && { timeouts }), ...(retries && { retries }) };
}

function retriesOf(part: Part): Route["retries"] {
  if (!part.exists) return undefined;
  const wanted = part.get("attempts").number() ?? 1;
  const attempts = Math.min(wanted, bounds.retriesMax);
  if (attempts < wanted) part.get("attempts").bend(`${wanted} retries`, `At most ${bounds.retriesMax}.`);
  const codes = part
    .get("codes")
    .items()
    .flatMap((item) => item.number() ?? []);
  const backoff = part.get("backoff");
  const pauseMs = durationOf(backoff);
  const backoffMs = Math.min(pauseMs ?? 0, bounds.backoffMsMax);
  if (pauseMs !== undefined)
    backoff.remark("pause between retries", "It is drawn by chance, from 0 to twice as much each time.");
  const isRetried = (code: number) => code >= 400 && code <= 599;
  return {
    attempts,
    codes: codes.filter(isRetried).slice(0, bounds.retryCodesMax),
    ...(backoffMs > 0 && { backoffMs, maxBackoffMs: Math.min(backoffMs * 8, bounds.backoffMsMax) }),
  };
}

const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** A duration of the Gateway API (GEP-2257: `1h10s500ms`) in milliseconds, within our bound. */
function durationOf(part: Part): number | undefined {
  const text = part.text();
  if (text === undefined) return undefined;
  if (!/^(?:[0-9]{1,5}(?:h|ms|m|s)){1,4}$/.test(text)) {
    part.drop(`duration ${text}`, "Not a duration of the Gateway API. The default is used.");
    return undefined;
  }
  const parts = [...text.matchAll(/([0-9]+)(h|ms|m|s)/g)];
  const total = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ""] ?? 0), 0);
  if (total > bounds.requestTimeoutMsMax) part.bend(`duration ${text}`, `At most ${bounds.requestTimeoutMsMax} ms.`);
  return Math.min(total, bounds.requestTimeoutMsMax);
}
