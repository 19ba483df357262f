/** Stage: a raw request -> its id, its client, and what the decisions may know of it. */
import { bounds } from "../bounds.ts";
import type { RequestFacts } from "../core/facts.ts";
import { type Client, clientOf } from "../core/forwarding/client.ts";
import { cookieOf, isDistrusted, isRequestId, passesOf } from "../core/forwarding/headers.ts";
import { GatewayError } from "../errors.ts";
import type { HeaderSection } from "../header-section.ts";
import type { Target } from "../target.ts";

/** A request as it came, each part of it taken from the runtime once. */
export interface Incoming {
  readonly request: Request;
  readonly method: string;
  readonly target: Target;
  readonly headers: HeaderSection;
}

/** A request that may be decided on. */
export interface Read {
  readonly client: Client;
  readonly facts: RequestFacts;
}

/** The client's `x-request-id` if it is harmless, else a new one: 32 hexadecimal digits, of which no two requests share all. */
export function requestIdOf(given: string | null): string {
  // It names a request and guards nothing, so it need not be hard to guess: a `randomUUID` costs 5 % of a fetch.
  return isRequestId(given) ? given : eightDigits() + eightDigits() + eightDigits() + eightDigits();
}

/** From a table, as `toString` and `padStart` cost as much as a UUID. */
const octets = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, "0"));

function eightDigits(): string {
  const bits = (Math.random() * 0x100000000) >>> 0;
  return octets[bits >>> 24]! + octets[(bits >>> 16) & 255]! + octets[(bits >>> 8) & 255]! + octets[bits & 255]!;
}

/** Reads a request that came through `trustedProxyHops` proxies; `loop_detected` if it passed us too often. */
export function read(incoming: Incoming, trustedProxyHops: number): Read | GatewayError {
  const { headers, target } = incoming;
  if (passesOf(headers.get("via")) > bounds.loopPassesMax) return new GatewayError("loop_detected");
  const { scheme, host } = target.authority;
  const client = clientOf(
    {
      peer: headers.get("cf-connecting-ip"),
      proto: scheme,
      host,
      forwardedFor: headers.get("x-forwarded-for"),
      forwardedProto: headers.get("x-forwarded-proto"),
      forwardedHost: headers.get("x-forwarded-host"),
    },
    trustedProxyHops,
  );
  return { client, facts: new FactsOfRequest(incoming, client) };
}

/** A class, as an object with a closure for each question would be made anew for every request. */
class FactsOfRequest implements RequestFacts {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly clientIp: string | null;
  private readonly incoming: Incoming;
  private readonly client: Client;
  /** What the platform says of the request; undefined: not asked for yet, as it is read anew each time. */
  private cf: Readonly<Record<string, unknown>> | undefined;

  constructor(incoming: Incoming, client: Client) {
    this.method = incoming.method;
    this.host = incoming.target.authority.name;
    this.path = incoming.target.path;
    this.clientIp = client.ip;
    this.incoming = incoming;
    this.client = client;
  }

  header(name: string): string | null {
    return isDistrusted(name) ? this.vouched(name) : this.incoming.headers.get(name);
  }

  query(name: string): string | null {
    return this.incoming.target.params.get(name);
  }

  cookie(name: string): string | null {
    return cookieOf(this.incoming.headers.get("cookie"), name);
  }

  get continent(): string | null {
    return this.place("continent");
  }

  get country(): string | null {
    return this.place("country");
  }

  get region(): string | null {
    return this.place("regionCode");
  }

  get colo(): string | null {
    return this.place("colo");
  }

  /** What the gateway itself would say to the origin. */
  private vouched(name: string): string | null {
    switch (name) {
      case "x-forwarded-for":
        return this.client.forwardedFor;
      case "x-forwarded-proto":
        return this.client.proto;
      case "x-forwarded-host":
        return this.client.host;
      default:
        return null;
    }
  }

  private place(name: string): string | null {
    this.cf ??= this.incoming.request.cf ?? {};
    const value = this.cf[name];
    return typeof value === "string" ? value : null;
  }
}
