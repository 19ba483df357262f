/**
 * The third conductor: what would become of a request, and why. It goes the way of `index.ts` through the same stages, past
 * a refusal on to the end, and leaves out whatever spends or sends something.
 */
import { type RequestFacts, shownFacts } from "../core/facts.ts";
import type { Client } from "../core/forwarding/client.ts";
import type { Show } from "../core/unmet.ts";
import { errorKinds, GatewayError } from "../errors.ts";
import { HeaderSection } from "../header-section.ts";
import type { Route, Snapshot } from "../snapshot/types.ts";
import { targetFor } from "../target.ts";
import { type ExplainedLimit, explainLimits } from "./explain-limits.ts";
import { type ExplainedOrigins, explainOrigins } from "./explain-origins.ts";
import { type ExplainedRoutes, explainMatch } from "./explain-routes.ts";
import { type ExplainedSent, explainSent } from "./explain-sent.ts";
import { type ExplainedVersion, explainVersion } from "./explain-version.ts";
import { hasFallback } from "./fallback.ts";
import { faultFor } from "./fault.ts";
import { match } from "./match.ts";
import { preflight } from "./preflight.ts";
import { type Incoming, read } from "./read.ts";
import { redirect } from "./redirect.ts";
import { revisionFor } from "./revision.ts";

/** What the gateway would do. Of several refusals the first counts. */
export interface Outcome {
  readonly kind: "forward" | "redirect" | "preflight" | "error";
  /** Of an answer that the gateway makes itself; null: an origin answers. */
  readonly status: number | null;
  readonly error: string | null;
  /** Who would answer instead of the error: a service, or `static`. */
  readonly fallback: string | null;
}

/** What is null, or empty, was not reached or is not written for the route. */
export interface Explanation {
  readonly revision: number;
  readonly outcome: Outcome;
  readonly request: Omit<RequestFacts, "header" | "query" | "cookie"> | null;
  readonly routes: ExplainedRoutes | null;
  readonly limits: ExplainedLimit[];
  /** The fault that the request may meet. */
  readonly fault: { readonly percent: number; readonly delayMs: number; readonly abortStatus: number | null } | null;
  /** Headers of the answer to a preflight or of a redirect. */
  readonly answered: Record<string, string> | null;
  readonly version: ExplainedVersion | null;
  readonly origins: ExplainedOrigins | null;
  readonly sent: ExplainedSent | null;
}

/** A request whose route is known. */
interface Routed {
  readonly incoming: Incoming;
  readonly client: Client;
  readonly facts: RequestFacts;
  readonly params: Readonly<Record<string, string>>;
  readonly route: Route;
  readonly snapshot: Snapshot;
  readonly show: Show;
}

/** Explains a request. Peeks at the objects of its limits, and asks no other. */
export async function explain(request: Request, current: Snapshot, env: Env): Promise<Explanation> {
  const { method, url } = request;
  const incoming = { request, method, target: targetFor(url), headers: new HeaderSection(request.headers) };
  const snapshot = revisionFor(current, (hops) => read(incoming, hops));
  const { gateway, placeholders } = snapshot.config;
  const show: Show = (text) => placeholders.get(text) ?? text;
  const nothing = {
    ...{ revision: snapshot.revision, request: null, routes: null, limits: [], fault: null, answered: null },
    ...{ version: null, origins: null, sent: null },
  };
  const received = read(incoming, gateway.trustedProxyHops);
  if (received instanceof GatewayError) return { ...nothing, outcome: refused(received) };
  const { client, facts } = received;
  const matched = match(snapshot, facts);
  const found = { ...nothing, request: shownFacts(facts), routes: explainMatch(snapshot, facts, matched, show) };
  if (matched instanceof GatewayError) return { ...found, outcome: refused(matched) };
  const { route, params } = matched;
  if (matched.preflight && route.cors) {
    const answer = preflight(route.cors, request);
    return { ...found, outcome: answers("preflight", answer), answered: shownHeaders(answer, show, placeholders) };
  }
  const rest = await explainRouted({ incoming, client, facts, params, route, snapshot, show }, env);
  return { ...found, ...rest };
}

/** What follows the match. */
async function explainRouted(routed: Routed, env: Env): Promise<Partial<Explanation> & Pick<Explanation, "outcome">> {
  const { incoming, client, facts, params, route, snapshot, show } = routed;
  const limits = await explainLimits(route, facts, params, env);
  const isLimited = limits.some(({ mode, allowed }) => mode === "enforce" && allowed === false);
  const fault = faultFor(route, facts);
  const isAborted = fault?.percent === 100 && fault.abortStatus !== null;
  const shared = {
    limits,
    fault: fault ? { percent: fault.percent, delayMs: fault.delayMs, abortStatus: fault.abortStatus } : null,
  };
  const refusals: (GatewayError | null)[] = [
    isLimited ? new GatewayError("rate_limited") : null,
    isAborted ? new GatewayError("fault_injected", { status: fault.abortStatus! }) : null,
  ];
  if (route.redirect) {
    const answer = redirect(route.redirect, incoming.target);
    return {
      ...shared,
      answered: shownHeaders(answer, show, snapshot.config.placeholders),
      outcome: firstOf(refusals, route) ?? answers("redirect", answer),
    };
  }
  // The compiler has seen to it that the service is there.
  const service = snapshot.services.get(route.service ?? "")!;
  const { version, selected } = explainVersion({ route, service, facts, params }, show);
  if (selected instanceof GatewayError) {
    return { ...shared, version, outcome: firstOf([...refusals, selected], route)! };
  }
  const { origins, refusal } = explainOrigins({ route, service, facts, params }, selected, snapshot);
  return {
    ...{ ...shared, version, origins, sent: explainSent(incoming, client, selected.rewrite, show) },
    outcome: firstOf([...refusals, refusal], route) ?? { kind: "forward", status: null, error: null, fallback: null },
  };
}

function firstOf(refusals: readonly (GatewayError | null)[], route: Route): Outcome | null {
  const error = refusals.find((refusal) => refusal !== null);
  if (!error) return null;
  if (!hasFallback(route.fallback, error)) return refused(error);
  const { fallback } = route;
  const [by, status] = fallback.kind === "static" ? ["static", fallback.status] : [fallback.service, null];
  return { ...refused(error), fallback: by, status };
}

function refused({ code, extras }: GatewayError): Outcome {
  return { kind: "error", status: extras.status ?? errorKinds[code].status, error: code, fallback: null };
}

function answers(kind: Outcome["kind"], { status }: Response): Outcome {
  return { kind, status, error: null, fallback: null };
}

/** With placeholders where the document has them (C6), also within a value. */
function shownHeaders(
  { headers }: Response,
  show: Show,
  placeholders: ReadonlyMap<string, string>,
): Record<string, string> {
  const masked = (value: string) => {
    let text = show(value);
    // A text of a letter or two would be found everywhere, and is no secret.
    for (const [secret, placeholder] of placeholders)
      if (secret.length > 3) text = text.replaceAll(secret, placeholder);
    return text;
  };
  return Object.fromEntries([...headers].map(([name, value]) => [show(name), masked(value)]));
}
