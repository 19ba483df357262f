/** Compiles what a route does about failures: retries, hedging, mirrors, fallback, and failures ordered for rehearsal. */
import type { AuthoredRoute, Config } from "../schema/config.ts";
import { compileStoredHeaders } from "./compile-rewrite.ts";
import { compileWhen } from "./compile-traffic.ts";
import type { DocumentPath, Problems } from "./problems.ts";
import type { Fallback, Fault, Mirror, Route } from "./types.ts";

type AuthoredMirrors = NonNullable<AuthoredRoute["mirror"]>;
type AuthoredFaults = NonNullable<AuthoredRoute["faults"]>;
type AuthoredFallback = NonNullable<AuthoredRoute["fallback"]>;
type StoredAnswer = Exclude<AuthoredFallback, { service: string }>;

/** Statuses whose answers have no body (RFC 9110 15.3.5, 15.3.6, 15.4.5); the runtime refuses to send one. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/** These parts of a route; `at` is the route's place. */
export function compileFailures(
  route: AuthoredRoute,
  config: Config,
  at: DocumentPath,
  problems: Problems,
): Pick<Route, "retries" | "hedging" | "mirrors" | "fallback" | "faults"> {
  const other = (service: string, path: DocumentPath, ownDetail: string) => {
    if (service === route.service) problems.error(path, ownDetail);
    else if (!Object.hasOwn(config.services, service)) problems.error(path, "no service has this name");
  };
  const { retries, hedging, mirror = [], fallback, faults = [] } = route;
  return {
    retries: retries ? { ...retries, codes: new Set(retries.codes) } : null,
    hedging: hedging ?? null,
    mirrors: compileMirrors(mirror, other, [...at, "mirror"]),
    fallback: fallback ? compileFallback(fallback, other, [...at, "fallback"], problems) : null,
    faults: compileFaults(faults, config.gateway.allowFaults, [...at, "faults"], problems),
  };
}

/** Reports a service that is not declared, or is the route's own. */
type CheckOther = (service: string, path: DocumentPath, ownDetail: string) => void;

function compileMirrors(authored: AuthoredMirrors, other: CheckOther, path: DocumentPath): Mirror[] {
  return authored.map(({ version, service, percent, methods, timeoutMs }, index) => {
    if (service !== undefined) other(service, [...path, index, "service"], "is the route's own: give a version of it");
    return {
      version: version ?? null,
      service: service ?? null,
      percent,
      methods: new Set(methods),
      timeoutMs,
    };
  });
}

function compileFallback(
  authored: AuthoredFallback,
  other: CheckOther,
  path: DocumentPath,
  problems: Problems,
): Fallback {
  if (!("service" in authored)) return storedAnswer(authored, path, problems);
  other(authored.service, [...path, "service"], "is the route's own, whose failure it is for");
  return { kind: "service", service: authored.service };
}

function storedAnswer(
  { status, headers = {}, body = null }: StoredAnswer,
  path: DocumentPath,
  problems: Problems,
): Fallback {
  if (body !== null && bodiless.has(status)) problems.error([...path, "body"], "an answer of this status has no body");
  const written = compileStoredHeaders(headers, [...path, "headers"], problems);
  const isTyped = written.some(([name]) => name.toLowerCase() === "content-type");
  return {
    kind: "static",
    status,
    headers: body === null || isTyped ? written : [["content-type", "application/json"], ...written],
    body: body === null ? null : JSON.stringify(body),
  };
}

function compileFaults(authored: AuthoredFaults, isAllowed: boolean, path: DocumentPath, problems: Problems): Fault[] {
  if (authored.length > 0) problems.warn(path, "failures are injected into this route");
  const always = authored.findIndex(({ when }) => when === undefined);
  return authored.map(({ when, percent, delayMs, abort }, index) => {
    const at = [...path, index];
    if (!isAllowed) problems.error(at, "needs gateway.allowFaults");
    if (always >= 0 && index > always) problems.warn(at, `can never apply: fault ${always} always does`);
    const conditions = when ? compileWhen(when, [...at, "when"], problems) : null;
    return { delayMs, abortStatus: abort?.status ?? null, percent, conditions };
  });
}
