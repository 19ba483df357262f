/** An address in brackets or a name; one trailing dot; a port. */
const hostAndPort = /^(\[[^\]]*\]|[^:]*?)\.?(?::\d*)?$/;

/**
 * The form in which hosts are compared: lower case, without port and without one trailing dot. An IPv6 address keeps its
 * brackets. Fits the hosts of a configuration, wildcards included, and of a request; text that is no host only becomes
 * lower case.
 */
export function normalizeHost(host: string): string {
  const lower = host.toLowerCase();
  return hostAndPort.exec(lower)?.[1] ?? lower;
}

/** Which hosts an entry is for. `wildcard` covers one label or more in front of `suffix`, which begins with its dot. */
export type HostMatcher =
  | { readonly kind: "exact"; readonly host: string }
  | { readonly kind: "wildcard"; readonly suffix: string }
  | { readonly kind: "any" };

/** Reads a normalised host of a configuration: "api.example.com", "*.example.com"; null for every host. */
export function hostMatcher(host: string | null): HostMatcher {
  if (host === null) return { kind: "any" };
  return host.startsWith("*.") ? { kind: "wildcard", suffix: host.slice(1) } : { kind: "exact", host };
}
