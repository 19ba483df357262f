/** Origins of the web (RFC 6454): as a policy lists them and as browsers send them. */

/** An origin in parts: `host` in lower case, `port` always said. */
export interface OriginParts {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
}

/** Every origin whose host ends in `suffix` (".example.com"; "" for any host) and has more before it. */
export interface OriginWildcard {
  readonly scheme: "http" | "https";
  readonly suffix: string;
  readonly port: number;
}

/** One entry of `allowOrigins`, read. */
export type CorsOrigin =
  | { readonly kind: "any" }
  /** `origin` as browsers write it: lower case, without a default port. */
  | { readonly kind: "exact"; readonly origin: string }
  | { readonly kind: "wildcard"; readonly wildcard: OriginWildcard }
  | { readonly kind: "error"; readonly detail: string };

const defaultPorts = { http: 80, https: 443 } as const;
const portMax = 65_535;
const shape = /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9*._-]+)(?::(\d{1,5}))?$/;

/**
 * Reads an entry of `allowOrigins`: `*`, an exact origin, or one whose first label is the wildcard. As in the Gateway API
 * (HTTPCORSFilter.allowOrigins) the wildcard covers one label or more, never none: `https://*.example.com` is neither
 * `https://example.com` nor `http://a.example.com`; `https://*` is every host; a port left out is the scheme's own.
 */
export function parseCorsOrigin(text: string): CorsOrigin {
  if (text === "*") return { kind: "any" };
  const parts = parseOrigin(text);
  if (parts === null) {
    return {
      kind: "error",
      detail: "must be *, or http(s)://host[:port] with nothing after it and an international name in its xn-- form",
    };
  }
  const { scheme, host, port } = parts;
  if (!host.includes("*")) return { kind: "exact", origin: canonicalOrigin(parts) };
  const suffix = host.slice(1);
  const isFirstLabel = host === "*" || /^\*\.[^*]+$/.test(host);
  return isFirstLabel
    ? { kind: "wildcard", wildcard: { scheme, suffix, port } }
    : { kind: "error", detail: "a wildcard must be the whole first label of the host: https://*.example.com" };
}

/** Parts of an origin; null for `null` and for schemes other than http and https, which no list entry can mean. */
export function parseOrigin(text: string): OriginParts | null {
  const match = shape.exec(text.toLowerCase());
  if (match === null) return null;
  const scheme = match[1] as OriginParts["scheme"];
  const port = match[3] === undefined ? defaultPorts[scheme] : Number(match[3]);
  return port >= 1 && port <= portMax ? { scheme, host: match[2]!, port } : null;
}

/** The one spelling of an origin: a default port is left out. */
export function canonicalOrigin({ scheme, host, port }: OriginParts): string {
  return port === defaultPorts[scheme] ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}
