/** Compiles what a request is matched by: hosts, paths, methods, headers and query parameters. */
import ipaddr from "ipaddr.js";
import type { Criterion } from "../core/facts.ts";
import { normalizeHost } from "../core/routing/host.ts";
import { exactPath, type PathMatcher, patternPath, prefixPath, regexPath } from "../core/routing/matcher.ts";
import { parsePattern } from "../core/routing/pattern.ts";
import type { AuthoredRoute } from "../schema/config.ts";
import { compileCriteria, compileRegex } from "./compile-values.ts";
import type { DocumentPath, Problems } from "./problems.ts";

type AuthoredMatch = NonNullable<AuthoredRoute["matches"]>[number];
type AuthoredPath = NonNullable<AuthoredMatch["path"]>;

/** One match of a route, read. */
export interface CompiledMatch {
  readonly path: PathMatcher;
  readonly methods: readonly string[] | null;
  readonly criteria: readonly Criterion[];
}

/** A match; without a path it is the prefix "/". */
export function compileMatch(match: AuthoredMatch, at: DocumentPath, problems: Problems): CompiledMatch {
  return {
    path: compilePath(match.path ?? { prefix: "/" }, [...at, "path"], problems),
    methods: match.methods ?? null,
    criteria: [
      ...compileCriteria("header", match.headers, [...at, "headers"], problems),
      ...compileCriteria("query", match.query, [...at, "query"], problems),
    ],
  };
}

function compilePath(path: AuthoredPath, at: DocumentPath, problems: Problems): PathMatcher {
  if (path.exact !== undefined) return exactPath(path.exact);
  if (path.regex !== undefined) return regexPath(path.regex, compileRegex(path.regex, [...at, "regex"], problems));
  if (path.pattern === undefined) return prefixPath(path.prefix ?? "/");
  const parsed = parsePattern(path.pattern);
  if (!parsed.ok) problems.error([...at, "pattern"], parsed.problem);
  return patternPath(parsed.ok ? parsed.segments : []);
}

/** A host or wildcard in the form in which hosts are compared. */
export function compileHost(text: string, at: DocumentPath, problems: Problems): string {
  const host = normalizeHost(text);
  const name = host.startsWith("*.") ? host.slice(2) : host;
  // As the URL of a request has it: there is one spelling of an address, and a name does not end in a number.
  const canonical = isHost(name) ? URL.parse(`http://${name}`)?.hostname : undefined;
  if (text === "*") problems.error(at, 'a lone "*" is refused: leave the list out for every host');
  else if (canonical === undefined)
    problems.error(at, "not a host name, an IP address or a wildcard like *.example.com");
  else if (name === host) return canonical;
  else if (isAddress(canonical)) problems.error(at, "an IP address has no wildcard");
  return host;
}

/** Is a host of a URL an IP address? */
function isAddress(host: string): boolean {
  return host.startsWith("[") || ipaddr.IPv4.isValidFourPartDecimal(host);
}

/** Host name in LDH form (an international name in its xn-- form), an IPv4 address, or an IPv6 address in brackets. */
export function isHost(text: string): boolean {
  if (text.startsWith("[") && text.endsWith("]")) return ipaddr.IPv6.isValid(text.slice(1, -1));
  return (
    text.length <= 253 &&
    /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/i.test(text)
  );
}
