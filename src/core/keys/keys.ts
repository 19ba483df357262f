/** Client keys: which value of a request says who is calling. The grammar of `stickyBy`, `hashOn` and `rateLimits.key`. */
import { type RequestFacts, readValue, type ValueSource } from "../facts.ts";
import { normalizePath } from "../routing/path.ts";

/** Where a client key comes from. Header names are in lower case, the other names as written. */
export type KeySource =
  | { readonly kind: "ip" | "path" | "route" | "global" }
  | { readonly kind: ValueSource | "path-param"; readonly name: string };

/** What a key may be made of beside the request itself. */
export interface KeyExtras {
  /** Parameters of the route's path by name; parameters without a value are left out. */
  readonly params: Readonly<Record<string, string>>;
  /** Name of the route. */
  readonly route: string;
}

/** Value of the source `global`: the one key that all requests share. */
const globalKey = "global";

/** Field names and cookie names: RFC 9110 5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Reads `ip`, `path`, `route`, `global`, `header:<name>`, `cookie:<name>`, `query:<name>` or `path-param:<name>`; null
 * for everything else. The words are case-sensitive; names of headers and cookies are tokens, the others any text but "".
 */
export function parseKeySource(text: string): KeySource | null {
  if (text === "ip" || text === "path" || text === "route" || text === "global") return { kind: text };
  const colon = text.indexOf(":");
  const kind = text.slice(0, Math.max(colon, 0));
  const name = text.slice(colon + 1);
  if (name === "") return null;
  switch (kind) {
    case "header":
      return token.test(name) ? { kind, name: name.toLowerCase() } : null;
    case "cookie":
      return token.test(name) ? { kind, name } : null;
    case "query":
    case "path-param":
      return { kind, name };
    default:
      return null;
  }
}

/** A value, and where it came from. */
export interface FoundKey {
  readonly source: KeySource;
  readonly value: string;
}

/** The first source that the request has and that is not empty; null when there is none. */
export function firstKey(sources: readonly KeySource[], facts: RequestFacts, extras: KeyExtras): FoundKey | null {
  for (const source of sources) {
    const value = valueOfKey(source, facts, extras);
    if (value !== null && value !== "") return { source, value };
  }
  return null;
}

/** Value of the first source that the request has and that is not empty; null when there is none. */
export function keyOf(sources: readonly KeySource[], facts: RequestFacts, extras: KeyExtras): string | null {
  return firstKey(sources, facts, extras)?.value ?? null;
}

/** Value of one source, as received (a path in the form in which paths are compared); null when absent, "" when empty. */
export function valueOfKey(source: KeySource, facts: RequestFacts, extras: KeyExtras): string | null {
  switch (source.kind) {
    case "ip":
      return facts.clientIp;
    case "path":
      // One spelling of each path, else a client would choose among keys by encoding what needs no encoding.
      return normalizePath(facts.path);
    case "route":
      return extras.route;
    case "global":
      return globalKey;
    case "path-param":
      return paramOf(extras.params, source.name);
    default:
      return readValue(facts, source.kind, source.name);
  }
}

/** Value of a path parameter; null when absent. A name such as `constructor` finds nothing that is not a parameter. */
export function paramOf(params: KeyExtras["params"], name: string): string | null {
  return Object.hasOwn(params, name) ? params[name]! : null;
}
