/**
 * The errors that the gateway itself answers with. `code` is promised to users (docs/errors.md has a heading for each);
 * `title` and `detail` are public and never name an internal address; `reason` is for logs only.
 */

/** Shape of one row: the HTTP status, whether the same request may succeed later unchanged, and the public title. */
interface ErrorKind {
  readonly status: number;
  readonly retryable: boolean;
  readonly title: string;
}

const kinds = {
  // Traffic
  route_not_found: { status: 404, retryable: false, title: "No route matches this request" },
  version_unknown: { status: 400, retryable: false, title: "The requested version does not exist" },
  no_origin: { status: 503, retryable: true, title: "No origin is available for this request" },
  circuit_open: { status: 503, retryable: true, title: "The service is failing and is given time to recover" },
  overloaded: { status: 503, retryable: true, title: "The service has as much to do as it may have" },
  upstream_unreachable: { status: 502, retryable: true, title: "The origin could not be reached" },
  upstream_invalid_response: {
    status: 502,
    retryable: true,
    title: "The origin gave an answer that is not valid HTTP",
  },
  rate_limited: { status: 429, retryable: true, title: "The rate limit is used up" },
  upstream_timeout: { status: 504, retryable: true, title: "No origin answered a try in time" },
  request_timeout: { status: 504, retryable: true, title: "The origin did not answer in time" },
  payload_too_large: { status: 413, retryable: false, title: "The request body is too large" },
  upload_idle: { status: 408, retryable: true, title: "The request's body stopped coming" },
  fault_injected: { status: 503, retryable: true, title: "This failure was ordered by the configuration" },
  loop_detected: { status: 508, retryable: false, title: "The request passed this gateway too often" },
  gateway_unconfigured: { status: 503, retryable: true, title: "The gateway has no configuration yet" },
  internal_error: { status: 500, retryable: true, title: "The gateway failed to handle this request" },
  // Admin API
  admin_disabled: { status: 503, retryable: false, title: "The admin API is disabled: ADMIN_TOKEN is not set" },
  unauthorized: { status: 401, retryable: false, title: "A valid token is required" },
  forbidden: { status: 403, retryable: false, title: "This token's role does not allow this call" },
  not_found: { status: 404, retryable: false, title: "The admin API has no such resource" },
  method_not_allowed: { status: 405, retryable: false, title: "The resource does not support this method" },
  invalid_request: { status: 400, retryable: false, title: "The request is not valid" },
  invalid_config: { status: 422, retryable: false, title: "The configuration is not valid" },
  revision_conflict: { status: 412, retryable: false, title: "The revision has changed" },
  canary_running: { status: 409, retryable: false, title: "A canary of the configuration is running" },
  lease_not_found: { status: 404, retryable: false, title: "The lease is unknown or has expired" },
  service_unknown: { status: 404, retryable: false, title: "The configuration declares no such service" },
  limit_unknown: { status: 404, retryable: false, title: "The configuration declares no such rate limit" },
  origin_unknown: { status: 404, retryable: false, title: "The service has no such origin" },
  origin_static: { status: 409, retryable: false, title: "The origin is listed in the configuration" },
  registry_full: { status: 409, retryable: false, title: "The service has as many origins as it may have" },
  compacted: { status: 410, retryable: false, title: "Events after this revision are no longer kept" },
  control_plane_unavailable: { status: 503, retryable: true, title: "The control plane did not answer" },
} as const satisfies Record<string, ErrorKind>;

/** Every code that the gateway can answer with. */
export type ErrorCode = keyof typeof kinds;

/** The table of codes, for documentation and tests. */
export const errorKinds: Readonly<Record<ErrorCode, ErrorKind>> = kinds;

/** One problem in what a person wrote. `pointer` is a JSON pointer as a URI fragment: `#/routes/0/service` (RFC 9457). */
export interface Issue {
  readonly detail: string;
  readonly pointer: string;
}

/** What an error may carry beside its code. */
export interface ErrorExtras {
  /** Public sentence; the code's title when left out. */
  readonly detail?: string;
  /** For logs only; never sent. */
  readonly reason?: string;
  /** Every problem found, for `invalid_config` and `invalid_request`. */
  readonly errors?: readonly Issue[];
  /** Further members of the problem document, for example the current `revision`. */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Further response headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the code's own status; for `fault_injected` only. */
  readonly status?: number;
}

/** V8's switch for how long a new error's stack is. */
const stacks = Error as ErrorConstructor & { stackTraceLimit: number };

/**
 * A refusal as a value: returned by stages, thrown only inside the admin API, where Hono's error handler renders it. It has no
 * stack: what led to it is its code, and to take one costs as much as the rest of a refusal.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly extras: ErrorExtras;

  constructor(code: ErrorCode, extras: ErrorExtras = {}) {
    const { stackTraceLimit } = stacks;
    stacks.stackTraceLimit = 0;
    super(extras.reason ?? extras.detail ?? kinds[code].title);
    stacks.stackTraceLimit = stackTraceLimit;
    this.name = "GatewayError";
    this.code = code;
    this.extras = extras;
  }
}

/** JSON pointer (RFC 6901) of a path, as a URI fragment. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return `#${path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("")}`;
}

/** A problem document (RFC 9457) for an error; `requestId` is the gateway's id of the request. */
export function problemOf(error: GatewayError, requestId: string): Record<string, unknown> {
  const kind: ErrorKind = kinds[error.code];
  return {
    type: `urn:sluice:error:${error.code}`,
    title: kind.title,
    status: error.extras.status ?? kind.status,
    detail: error.extras.detail ?? kind.title,
    code: error.code,
    requestId,
    ...(error.extras.errors ? { errors: error.extras.errors } : {}),
    ...error.extras.members,
  };
}
