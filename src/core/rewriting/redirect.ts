import { type PathModifier, rewritePath } from "./path.ts";

export type Scheme = "http" | "https";

/** Where a request is sent instead; what is left out stays as in the request. */
export interface Redirect {
  readonly scheme?: Scheme | undefined;
  /** An IPv6 address is in brackets. */
  readonly hostname?: string | undefined;
  /** Left out: the port of `scheme` if that is set, else the request's. */
  readonly port?: number | undefined;
  readonly path?: PathModifier | undefined;
}

/** The parts of the URL that was asked for. */
export interface RedirectRequest {
  readonly scheme: Scheme;
  /** An IPv6 address is in brackets. */
  readonly hostname: string;
  /** null: the scheme's own. */
  readonly port: number | null;
  /** As received, from its first "/". */
  readonly path: string;
  /** With its "?"; "" when there is none. */
  readonly search: string;
}

const defaultPorts: Readonly<Record<Scheme, number>> = { http: 80, https: 443 };

/** Value of `Location`: an absolute URL with the query of the request, without a port that its scheme implies. */
export function redirectLocation(redirect: Redirect, request: RedirectRequest): string {
  const scheme = redirect.scheme ?? request.scheme;
  const inheritedPort = redirect.scheme === undefined ? request.port : null;
  const port = redirect.port ?? inheritedPort ?? defaultPorts[scheme];
  const authority = (redirect.hostname ?? request.hostname) + (port === defaultPorts[scheme] ? "" : `:${port}`);
  return `${scheme}://${authority}${rewritePath({ path: redirect.path }, request.path)}${request.search}`;
}
