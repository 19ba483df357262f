/** The address of a request, in the parts that decisions look at. */
import { bounds } from "./bounds.ts";
import { makeRoom } from "./core/make-room.ts";
import { normalizeHost } from "./core/routing/host.ts";

/** Scheme, host and port. */
export interface Authority {
  readonly scheme: "http" | "https";
  /** With the port, unless it is the scheme's own. */
  readonly host: string;
  readonly hostname: string;
  /** null: the scheme's own. */
  readonly port: number | null;
  /** The host in the form in which hosts are compared. */
  readonly name: string;
}

/** The same few hosts come with every request, and to parse one costs more than to match it. The oldest go. */
const authorities = new Map<string, Authority>();
/**
 * Paths and queries of which the URL parser changes nothing. Dot segments it resolves, and others it encodes: those it gets.
 */
const plain = /^\/[\w\-~!$&()*+,;=:@/.%]*(?:\?[\w\-~!$&()*+,;=:@/.%?]*)?$/;
const dots = /\/(?:\.|%2e)/i;

/** Where a request goes to. Made by `targetFor`. */
export class Target {
  readonly authority: Authority;
  /** Dot segments are resolved. */
  readonly path: string;
  /** With its "?", also when nothing follows that; "" without one. */
  readonly query: string;
  private parsed: URLSearchParams | null = null;

  constructor(authority: Authority, path: string, query: string) {
    this.authority = authority;
    this.path = path;
    this.query = query;
  }

  /** Parameters of the query. */
  get params(): URLSearchParams {
    this.parsed ??= new URLSearchParams(this.query);
    return this.parsed;
  }
}

/** Reads an absolute http(s) URL, as a Request has it: what `new URL` makes of it, for less. Throws for any other text. */
export function targetFor(href: string): Target {
  const slash = href.indexOf("/", "https://".length);
  if (slash > 0) {
    const authority = authorities.get(href.slice(0, slash));
    const rest = href.slice(slash);
    if (authority !== undefined && plain.test(rest) && !dots.test(rest)) {
      const mark = rest.indexOf("?");
      return mark < 0 ? new Target(authority, rest, "") : new Target(authority, rest.slice(0, mark), rest.slice(mark));
    }
  }
  const url = new URL(href);
  const { search } = url;
  // `search` does not tell `/a?` from `/a`.
  const query = search === "" && url.href.endsWith("?") ? "?" : search;
  return new Target(authorityOf(url, slash > 0 ? href.slice(0, slash) : null), url.pathname, query);
}

/** Remembers it when it was `written` in the parser's own form, so that it can be found by its text. */
function authorityOf(url: URL, written: string | null): Authority {
  const scheme = url.protocol.slice(0, -1) as Authority["scheme"];
  const port = url.port === "" ? null : Number(url.port);
  const authority = { scheme, host: url.host, hostname: url.hostname, port, name: normalizeHost(url.host) };
  // By the parser's text: the other is a part of the whole address, which would be kept with it.
  if (written === url.origin && written.length <= bounds.authorityLengthMax) {
    makeRoom(authorities, bounds.authoritiesMax);
    authorities.set(url.origin, authority);
  }
  return authority;
}
