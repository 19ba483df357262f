/** What an isolate decides on: the document and the registries, compiled. Immutable; a change makes a new one. */
import type { BalancingPolicy } from "../core/balancing/index.ts";
import type { ZonePreference } from "../core/balancing/zone.ts";
import type { GradientSettings, HealthSettings, PublishedHealth, ThrottleSettings } from "../core/breaking/types.ts";
import type { CheckSettings } from "../core/checking/types.ts";
import type { CorsPolicy } from "../core/cors/cors.ts";
import type { KeySource } from "../core/keys/keys.ts";
import type { Policy } from "../core/limiting/policy.ts";
import type { HedgingPolicy, RetryPolicy } from "../core/retrying/types.ts";
import type { HeaderEdits } from "../core/rewriting/headers.ts";
import type { PathRewrite } from "../core/rewriting/path.ts";
import type { Redirect } from "../core/rewriting/redirect.ts";
import type { RouteTable } from "../core/routing/table.ts";
import type { Conditions } from "../core/traffic/condition.ts";
import type { TrafficRule } from "../core/traffic/types.ts";

/** `gateway` of the document. */
export interface GatewaySettings {
  readonly trustedProxyHops: number;
  readonly debugHeaders: boolean;
  readonly echoRequestId: boolean;
  /** Routes may have faults; the compiler has seen to it. */
  readonly allowFaults: boolean;
  readonly maxBodyBytes: number;
}

/** Changes to a request on its way to the origin; null parts change nothing. */
export interface Rewrite {
  readonly path: PathRewrite | null;
  readonly headers: HeaderEdits | null;
}

/** A redirect instead of an answer. */
export interface RouteRedirect extends Redirect {
  readonly statusCode: number;
}

/** Other numbers for the keys whose text (`<source>=<value>`) is `key`, or begins with it. */
export interface LimitOverride {
  readonly key: string;
  readonly isPrefix: boolean;
  readonly policy: Policy;
}

/** A limit of the document. */
export interface CompiledLimit {
  readonly name: string;
  readonly sources: readonly KeySource[];
  readonly onMissingKey: "shared" | "deny";
  /** Permits that a request takes; when `costHeader` is set, only if that header says nothing. */
  readonly cost: number;
  readonly costHeader: string | null;
  readonly policy: Policy;
  /** The first that fits. */
  readonly overrides: readonly LimitOverride[];
  readonly mode: "enforce" | "shadow";
  readonly headers: "draft" | "legacy" | "none";
}

/** A copy of some requests, for another version of the route's service or for another service; the other is null. */
export interface Mirror {
  readonly version: string | null;
  readonly service: string | null;
  /** In [0, 100]. */
  readonly percent: number;
  /** Methods that are mirrored. */
  readonly methods: ReadonlySet<string>;
  /** For the whole exchange, > 0. */
  readonly timeoutMs: number;
}

/** Who answers when the gateway would have to with a failure of its own. */
export type Fallback =
  | { readonly kind: "service"; readonly service: string }
  /** `body` is JSON text; null: no body. */
  | {
      readonly kind: "static";
      readonly status: number;
      readonly headers: readonly (readonly [string, string])[];
      readonly body: string | null;
    };

/** A failure that is injected, for rehearsal. */
export interface Fault {
  /** Pause before anything else; 0 = none. */
  readonly delayMs: number;
  /** Status of the gateway's answer instead of the origin's; null: the request goes on. */
  readonly abortStatus: number | null;
  /** In [0, 100]: share of the requests that fulfil the conditions. */
  readonly percent: number;
  /** null: every request. */
  readonly conditions: Conditions | null;
}

/** What happens to the requests that a match of a route has won. */
export interface Route {
  readonly name: string;
  /** The service that answers; null when `redirect` does. */
  readonly service: string | null;
  readonly redirect: RouteRedirect | null;
  readonly traffic: readonly TrafficRule[];
  readonly rewrite: Rewrite;
  /** Per traffic rule that is a split with rewrites of its own: the whole rewrite of each entry, that of the route included. */
  readonly splitRewrites: ReadonlyMap<number, readonly Rewrite[]>;
  readonly response: HeaderEdits | null;
  readonly cors: CorsPolicy | null;
  readonly limits: readonly CompiledLimit[];
  /** Time to the response's headers, all tries and waits included; 0 = no limit. */
  readonly requestTimeoutMs: number;
  /** The same, of one try; 0 = no limit of its own. */
  readonly attemptTimeoutMs: number;
  /** Silence in a body, either way; 0 = no limit. */
  readonly idleTimeoutMs: number;
  /** null: none but the one after a stale connection. */
  readonly retries: RetryPolicy | null;
  readonly hedging: HedgingPolicy | null;
  readonly mirrors: readonly Mirror[];
  readonly fallback: Fallback | null;
  /** The first whose conditions hold counts. */
  readonly faults: readonly Fault[];
}

/** One origin, from the document or from a registry. */
export interface Origin {
  readonly id: string;
  /** Scheme, host, port and base path, without a "/" at the end. */
  readonly url: string;
  readonly version: string | null;
  /** Share of the traffic; 0 = no new traffic. */
  readonly weight: number;
  readonly zone: string | null;
  /**
   * `suspect`: past its lease during a mass expiry that is not believed; still used. `unhealthy`: failed its active
   * checks; used only when too few others are left.
   */
  readonly state: "ready" | "draining" | "suspect" | "unhealthy";
}

/** Response headers that a version carries, ready to send; null when there is none. */
export interface VersionNotice {
  /** RFC 9745. */
  readonly deprecation: string | null;
  /** RFC 8594. */
  readonly sunset: string | null;
}

/** Rules for origins that register themselves. */
export interface RegistrationRules {
  /** null: any host that is not private. */
  readonly allowedHosts: readonly string[] | null;
  readonly ttlSeconds: { readonly default: number; readonly min: number; readonly max: number };
}

/** Members of a static origin that came from variables, as placeholders. */
export type ShownOrigin = Readonly<Partial<Record<"id" | "url" | "version" | "zone", string>>>;

/** A service as the document declares it. */
export interface CompiledService {
  readonly name: string;
  readonly staticOrigins: readonly Origin[];
  /** By the id of an origin: `${VAR}` where the document has one. */
  readonly shown: ReadonlyMap<string, ShownOrigin>;
  readonly defaultVersion: string | null;
  readonly notices: ReadonlyMap<string, VersionNotice>;
  /** Versions that the document names for this service, with an origin or without. */
  readonly namedVersions: ReadonlySet<string>;
  readonly policy: BalancingPolicy;
  /** consistent-hash: the first of them that the request has decides. */
  readonly hashOn: readonly KeySource[];
  /** null: zones do not matter. */
  readonly zones: ZonePreference | null;
  /** A new origin's share rises from 10 to 100 % in this time; 0 = at once. */
  readonly slowStartMs: number;
  /** For the breaker, the ejection and the limit of concurrency; what is off is null or 0 in it. */
  readonly health: HealthSettings;
  /** null: no active checks. */
  readonly check: CheckSettings | null;
  readonly throttle: ThrottleSettings | null;
  readonly gradient: GradientSettings | null;
  readonly registration: RegistrationRules;
}

/** The document, compiled. */
export interface CompiledConfig {
  readonly gateway: GatewaySettings;
  readonly table: RouteTable<Route>;
  readonly services: ReadonlyMap<string, CompiledService>;
  readonly limits: ReadonlyMap<string, CompiledLimit>;
  /** Text that came from a variable -> its placeholder, for what shows parts of the document (C6). */
  readonly placeholders: ReadonlyMap<string, string>;
}

/** A service with the origins that are there now. */
export interface ServiceView {
  readonly config: CompiledService;
  readonly origins: readonly Origin[];
  /** Those that may get new requests: not draining, weight above 0. Unhealthy ones are among them, for `pick` to judge. */
  readonly usable: readonly Origin[];
  readonly usableByVersion: ReadonlyMap<string, readonly Origin[]>;
  /** Named by the document, or of an origin that is there. */
  readonly versions: ReadonlySet<string>;
  /** What the service's health object has published; null: nothing yet. The same object as long as it is the same section. */
  readonly health: PublishedHealth | null;
  /** Digest of the check settings that the registry works by; null: none. */
  readonly checks: string | null;
}

/** A revision that is tried on a share of the clients. */
export interface Canary {
  /** 1 to 99. */
  readonly percent: number;
  readonly snapshot: Snapshot;
}

/** Everything that one request sees. */
export interface Snapshot {
  /** The manifest's; rises with every change. */
  readonly version: number;
  /** The configuration's. */
  readonly revision: number;
  readonly config: CompiledConfig;
  readonly services: ReadonlyMap<string, ServiceView>;
  /** null: none runs, or it does not compile here, or this is the canary. */
  readonly canary: Canary | null;
  /** Of a canary: the snapshot that most clients are served by; null: this is it. */
  readonly inForce: Snapshot | null;
}

/** For health: the snapshot in use, its age, and what is wrong with refreshing it, in words that anybody may read. */
export interface SnapshotStatus {
  readonly snapshot: Snapshot | null;
  readonly ageMs: number;
  readonly problems: readonly string[];
}
