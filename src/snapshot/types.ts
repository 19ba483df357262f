/** What an isolate decides on: the document and the registries, compiled. Immutable; a change makes a new one. */
import type { BalancingPolicy } from "../core/balancing/index.ts";
import type { CorsPolicy } from "../core/cors/cors.ts";
import type { KeySource } from "../core/keys/keys.ts";
import type { Policy } from "../core/limiting/policy.ts";
import type { HeaderEdits } from "../core/rewriting/headers.ts";
import type { PathRewrite } from "../core/rewriting/path.ts";
import type { Redirect } from "../core/rewriting/redirect.ts";
import type { RouteTable } from "../core/routing/table.ts";
import type { TrafficRule } from "../core/traffic/types.ts";

/** `gateway` of the document. */
export interface GatewaySettings {
  readonly trustedProxyHops: number;
  readonly debugHeaders: boolean;
  readonly echoRequestId: boolean;
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

/** What happens to the requests that a match of a route has won. */
export interface Route {
  readonly name: string;
  /** The service that answers; null when `redirect` does. */
  readonly service: string | null;
  readonly redirect: RouteRedirect | null;
  readonly traffic: readonly TrafficRule[];
  readonly rewrite: Rewrite;
  /** Per traffic rule that is a split: the whole rewrite of each entry, that of the route included. */
  readonly splitRewrites: ReadonlyMap<number, readonly Rewrite[]>;
  readonly response: HeaderEdits | null;
  readonly cors: CorsPolicy | null;
  readonly limits: readonly CompiledLimit[];
  /** Time to the response's headers; 0 = no limit. */
  readonly requestTimeoutMs: number;
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
  /** `suspect`: past its lease during a mass expiry that is not believed; still used. */
  readonly state: "ready" | "draining" | "suspect";
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
  readonly registration: RegistrationRules;
}

/** The document, compiled. */
export interface CompiledConfig {
  readonly gateway: GatewaySettings;
  readonly table: RouteTable<Route>;
  readonly services: ReadonlyMap<string, CompiledService>;
  readonly limits: ReadonlyMap<string, CompiledLimit>;
}

/** A service with the origins that are there now. */
export interface ServiceView {
  readonly config: CompiledService;
  readonly origins: readonly Origin[];
  /** Those that may get new requests: not draining, weight above 0. */
  readonly usable: readonly Origin[];
  readonly usableByVersion: ReadonlyMap<string, readonly Origin[]>;
  /** Named by the document, or of an origin that is there. */
  readonly versions: ReadonlySet<string>;
}

/** Everything that one request sees. */
export interface Snapshot {
  /** The manifest's; rises with every change. */
  readonly version: number;
  /** The configuration's. */
  readonly revision: number;
  readonly config: CompiledConfig;
  readonly services: ReadonlyMap<string, ServiceView>;
}

/** For health: the snapshot in use, its age, and what is wrong with refreshing it, in words that anybody may read. */
export interface SnapshotStatus {
  readonly snapshot: Snapshot | null;
  readonly ageMs: number;
  readonly problems: readonly string[];
}
