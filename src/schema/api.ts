/** Bodies and answers of the admin API. Requests are strict: an unknown member is an error. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { HeaderName, HeaderValue, Name, Weight } from "./names.ts";

const Revision = z.number().int().min(0);
const Url = z.string().min(1).max(bounds.originUrlLengthMax);
const Metadata = z
  .record(z.string().min(1).max(bounds.metadataLengthMax), z.string().max(bounds.metadataLengthMax))
  .refine((entries) => Object.keys(entries).length <= bounds.metadataEntriesMax, {
    error: `at most ${bounds.metadataEntriesMax} entries`,
  });

/** An origin that registers itself. */
export const Registration = z.strictObject({
  url: Url.describe("http or https; may have a path, to which the request's is appended"),
  version: Name.optional(),
  weight: Weight.default(1).describe("0 = no new traffic"),
  zone: Name.optional(),
  metadata: Metadata.optional(),
  ttlSeconds: z
    .number()
    .int()
    .min(bounds.leaseTtlSecondsMin)
    .max(bounds.leaseTtlSecondsMax)
    .optional()
    .describe("Length of the lease; the service's default when left out, and within its bounds"),
});

export const RegistrationAnswer = z.object({
  service: z.string(),
  origin: z.string(),
  leaseId: z.string(),
  ttlSeconds: z.number(),
  heartbeatSeconds: z.number().describe("Renew the lease this often"),
  revision: Revision,
  expiresAt: z.iso.datetime(),
});

const LeaseId = z.string().min(1).max(bounds.nameLengthMax);
export const Heartbeat = z.strictObject({ leaseId: LeaseId });
export const HeartbeatAnswer = z.object({
  ttlSeconds: z.number(),
  heartbeatSeconds: z.number(),
  expiresAt: z.iso.datetime(),
});

const LeaseRef = z.strictObject({ service: Name, origin: Name, leaseId: LeaseId });
export const Heartbeats = z.strictObject({ leases: z.array(LeaseRef).min(1).max(bounds.heartbeatsPerCallMax) });
export const HeartbeatsAnswer = z.object({
  renewed: z.array(LeaseRef.extend(HeartbeatAnswer.shape)),
  lost: z.array(LeaseRef).describe("Unknown or expired: register again"),
});

export const Drain = z.strictObject({
  graceSeconds: z
    .number()
    .int()
    .min(0)
    .max(bounds.drainGraceSecondsMax)
    .default(bounds.drainGraceSecondsDefault)
    .describe("Time until the origin is removed; 0 = at once"),
});
export const DrainAnswer = z.object({
  service: z.string(),
  origin: z.string(),
  state: z.literal("draining"),
  revision: Revision,
});

const OriginHealth = z.object({
  checks: z
    .enum(["passing", "failing", "none"])
    .describe("Result of the last active check; none: none has been made since the registry started"),
  inARow: z.number().int().min(1).optional().describe("Checks with that result in a row"),
  ejectedForMs: z
    .number()
    .optional()
    .describe("How long it was still to be out for failing requests, when that was last published"),
});
const OriginAnswer = z.object({
  id: z.string(),
  url: z.string(),
  version: z.string().nullable(),
  weight: z.number(),
  zone: z.string().nullable(),
  state: z
    .enum(["ready", "draining", "suspect", "unhealthy", "ejected"])
    .describe("If several are true: the first of draining, suspect, unhealthy, ejected"),
  health: OriginHealth,
  static: z.boolean().describe("Listed in the configuration; it has no lease"),
  metadata: z.record(z.string(), z.string()).optional(),
  expiresAt: z.iso.datetime().optional(),
  createRevision: Revision.optional(),
  modRevision: Revision.optional().describe("For If-Match when registering again"),
});
export const ServiceAnswer = z.object({
  service: z.string(),
  revision: Revision.describe("The registry's"),
  frozen: z.boolean().describe("A mass expiry is suspected: leases are kept past their end"),
  origins: z.array(OriginAnswer),
});
export const ServicesAnswer = z.object({
  services: z.array(ServiceAnswer),
  next: z.string().nullable().describe("For `after`, when there are more"),
});

const LimitWindow = z.object({
  kind: z.enum(["sliding-window", "fixed-window", "calendar-window", "token-bucket", "leaky-bucket"]),
  limit: z.number().optional().describe("Permits in the window"),
  windowSeconds: z.number().optional(),
  per: z.enum(["minute", "hour", "day", "month"]).optional().describe("Of a calendar window"),
  timeZone: z.string().optional(),
  rate: z.number().optional().describe("Permits a second"),
  burst: z.number().optional(),
  maxDelayMs: z.number().optional(),
  charged: z.number().describe("Permits in use, those of leases included; of a bucket with a fraction"),
  free: z.number().int().min(0),
  resetSeconds: z.number().describe("Time until more is free; 0 when nothing is charged"),
});
export const LimitAnswer = z.object({
  limit: z.string(),
  key: z.string(),
  policyVersion: Revision.nullable().describe(
    "Configuration revision of these numbers; null: the key is unused, so nothing is charged",
  ),
  windows: z.array(LimitWindow),
  leases: z
    .array(z.object({ isolate: z.string(), permits: z.number(), expiresAt: z.iso.datetime() }))
    .describe("Permits that isolates may still spend; they are charged already"),
});

const Forced = z.enum(["auto", "forced-open", "disabled"]);
const BreakerVersion = z.string().describe("Empty for origins without a version");
const Until = z.iso.datetime().nullable();
/** An operator's order. */
export const BreakerOrder = z.strictObject({
  version: z
    .union([Name, z.literal("")])
    .optional()
    .describe("Empty: origins without a version; left out: the whole service, also versions to come"),
  state: Forced.describe("auto ends an order; disabled lets everything through"),
});
export const BreakersAnswer = z.object({
  service: z.string(),
  revision: Revision.describe("The health object's; rises with every transition"),
  forced: Forced.describe("For versions that are not listed"),
  isolates: z.number().int().describe("Isolates that reported lately"),
  breakers: z.array(
    z.object({
      version: BreakerVersion,
      state: z.enum(["closed", "open", "half-open"]),
      generation: z.number().int().describe("Rises with every transition"),
      forced: Forced,
      until: Until.describe("When an open breaker becomes half-open"),
      recoveringSince: Until.describe("When it closed, while not every request is admitted yet"),
      counts: z
        .object({ requests: z.number(), failures: z.number(), slow: z.number() })
        .describe("In the window, as far as isolates have reported"),
      consecutiveFailures: z.number(),
      probes: z.object({ out: z.number().int(), succeeded: z.number().int() }).describe("Of a half-open breaker"),
    }),
  ),
  ejected: z.array(
    z.object({ origin: z.string(), until: z.iso.datetime(), times: z.number().int().describe("Sets the length") }),
  ),
});
export const AllBreakersAnswer = z.object({
  services: z.array(BreakersAnswer),
  next: z.string().nullable().describe("For `after`, when there are more"),
});

export const EventsAnswer = z.object({
  events: z.array(
    z
      .looseObject({ id: z.number().int(), time: z.iso.datetime(), service: z.string(), type: z.string() })
      .catchall(z.union([z.string(), z.number(), z.null()]))
      .describe("Further members depend on the type"),
  ),
  next: z.number().int().describe("`since` of the next page; the same as was asked for when there are no more yet"),
  oldest: z.number().int().nullable().describe("Id of the oldest event that is kept; those before it are gone"),
});

const Issue = z.object({ detail: z.string(), pointer: z.string() });
const Hash = z.string().describe("SHA-256 of the document's text");
const Changes = {
  changes: z
    .array(
      z.object({
        op: z.enum(["add", "remove", "replace", "reorder"]),
        path: z.string().describe("JSON pointer: into the old document for remove, into the new one otherwise"),
        by: z.enum(["name", "id"]).optional().describe("reorder: what the items are known by"),
        from: z.unknown().optional(),
        to: z.unknown().optional(),
      }),
    )
    .describe("Placeholders are shown as placeholders"),
  truncated: z.boolean().describe("There are more changes than are listed"),
};
export const ApplyAnswer = z.object({ revision: Revision, hash: Hash, ...Changes, warnings: z.array(Issue) });
export const DiffAnswer = z.object({ from: Revision, to: Revision, ...Changes });

export const Rollback = z.strictObject({
  revision: z.number().int().min(1).describe("Whose document is to be in force again"),
  note: z.string().max(bounds.noteLengthMax).optional(),
});

export const CanaryAnswer = z.object({
  revision: Revision,
  percent: z.number().int().describe("Share of the clients that get it"),
  since: z.iso.datetime(),
  rejectedBy: z
    .array(z.string())
    .describe("Versions of deployed Workers that cannot compile it, and so try it on nobody"),
});

const RevisionInfo = z.object({
  revision: Revision,
  hash: Hash,
  time: z.iso.datetime(),
  author: z.string().describe("Role of the token that made it"),
  note: z.string().nullable(),
  rejectedBy: z
    .array(z.object({ worker: z.string(), time: z.iso.datetime(), detail: z.string() }))
    .describe("Versions of deployed Workers that cannot compile it, with the first problem"),
});
export const RevisionsAnswer = z.object({
  revisions: z.array(RevisionInfo),
  next: Revision.nullable().describe("`before` of the next page; null: there is none"),
});
export const RevisionAnswer = RevisionInfo.extend({ document: z.unknown() });

export const AuditAnswer = z.object({
  entries: z.array(
    z.object({
      id: z.number().int(),
      time: z.iso.datetime(),
      role: z.string().describe("Of the token"),
      address: z.string().nullable().describe("The client's"),
      method: z.string(),
      target: z.string().describe("Below `/_sluice`, with the query"),
      status: z.number().int(),
      code: z.string().nullable().describe("Of a refusal"),
      revision: Revision.nullable().describe("Of what was written, after the call"),
      requestId: z.string(),
    }),
  ),
  next: z.number().int().describe("`since` of the next page; the same as was asked for when there are no more yet"),
  oldest: z.number().int().nullable().describe("Id of the oldest entry that is kept; those before it are gone"),
});

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    code: z.string(),
    requestId: z.string(),
    errors: z.array(Issue).optional(),
  })
  .meta({ component: "Problem" });

export const Health = z.object({
  status: z.enum(["ok", "unconfigured"]),
  version: z.string().describe("Of the deployed Worker"),
  configRevision: Revision,
  snapshotAgeMs: z.number(),
  problems: z.array(z.string()).optional().describe("Why the snapshot may be old"),
});

const eventsOf = <T extends z.ZodType>(event: T) =>
  z.array(event).describe("Oldest first; there may be more at once, from the last one's on");
export const ServiceWatchAnswer = z.object({
  revision: Revision.describe("`from` of the next call"),
  events: eventsOf(
    z.object({
      revision: Revision,
      type: z
        .enum([
          "registered",
          "replaced",
          "draining",
          "removed",
          "expired",
          "suspect",
          "ready",
          "unhealthy",
          "healthy",
          "frozen",
          "thawed",
          "checks",
        ])
        .describe("suspect and ready: a lease is over in a frozen service, and renewed; checks: what is checked"),
      origin: z.string().nullable().describe("Its id; null: of the whole service"),
      state: z.enum(["ready", "draining", "suspect", "unhealthy"]).optional().describe("After the event"),
      static: z.boolean().optional().describe("Listed in the configuration, which says the rest of it"),
      url: z.string().optional(),
      version: z.string().nullable().optional(),
      weight: z.number().optional(),
      zone: z.string().nullable().optional(),
      metadata: z.record(z.string(), z.string()).optional(),
      createRevision: Revision.optional(),
      modRevision: Revision.optional(),
    }),
  ),
});
export const ManifestWatchAnswer = z.object({
  version: z.number().int().min(0).describe("`from` of the next call"),
  events: eventsOf(
    z.object({
      version: z.number().int().describe("Rises by one with each change"),
      revision: Revision.describe("Of the configuration then in force; 0: none yet"),
      section: z.string().describe("config, origins/<service> or health/<service>"),
      hash: z.string().describe("SHA-256 of the section's text"),
    }),
  ),
});

const place = (text: RegExp, what: string) => z.string().regex(text, what).optional();
/** A request to explain. */
export const Explain = z.strictObject({
  method: z
    .string()
    .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/, "must be an HTTP method")
    .default("GET"),
  url: z.string().min(1).max(bounds.explainedUrlMax).describe("With the host that the client asks for"),
  headers: z
    .record(HeaderName, HeaderValue)
    .optional()
    .describe("As a proxy before the gateway sends them; a repeated one joined by a comma"),
  ip: z.string().max(64).optional().describe("Address of whoever connects to the gateway; left out: unknown"),
  continent: place(/^[A-Z]{2}$/, "must be AF, AN, AS, EU, NA, OC or SA"),
  country: place(/^[A-Z0-9]{2}$/, "must be an ISO 3166-1 alpha-2 code in upper case"),
  region: place(/^[A-Z0-9]{1,3}$/, "must be an ISO 3166-2 code without the country"),
  colo: place(/^[A-Z]{3}$/, "must be an IATA code in upper case"),
});

const Text = z.string().nullable();
const HeaderValues = z.record(z.string(), z.string());
const ExplainedEntry = z.object({
  route: z.string(),
  host: Text.describe("null: every host"),
  path: z.string().describe("Kind and text: `prefix /api`"),
});
const ExplainedLimit = z.object({
  limit: z.string(),
  key: Text.describe("As in /v1/limits/{limit}/{key}; null: the request has none and is refused for it"),
  mode: z.enum(["enforce", "shadow"]),
  cost: z.number(),
  allowed: z
    .boolean()
    .nullable()
    .describe("By what is free now; null: the limiter did not answer. An isolate that holds a lease may still admit"),
  windows: z.array(LimitWindow).nullable().describe("null: the limiter did not answer; empty: the key is unused"),
  leased: z.number().describe("Permits that isolates have leased and may spend"),
});
const ExplainedVersion = z.object({
  service: z.string(),
  version: Text.describe("null: every origin may answer. When the request draws: the likeliest"),
  reason: Text.describe("As in sluice-decision; null: the request is refused"),
  rule: z.number().int().nullable().describe("Index of the traffic rule that decided; null: none did"),
  passed: z.array(z.object({ rule: z.number().int(), why: z.string() })).describe("Rules before it"),
  split: z
    .object({
      key: z.object({ source: z.string(), value: z.string() }).nullable().describe("null: every request draws"),
      bucket: z.number().int().nullable(),
      ranges: z
        .array(z.object({ version: z.string(), from: z.number().int(), to: z.number().int() }))
        .describe("Buckets of each version, `to` not included"),
    })
    .nullable(),
});
const ExplainedOrigin = z.object({
  id: z.string(),
  url: z.string(),
  version: Text,
  weight: z.number(),
  zone: Text,
  state: z.enum(["ready", "draining", "suspect", "unhealthy"]),
  ejected: z.boolean(),
  breaker: Text.describe("Of its version, as this isolate meets it; null: nothing watches the service"),
  usable: z.boolean().describe("The first try may go to it"),
  chance: z.number().nullable().describe("In [0, 1]; null: the policy goes by load"),
});
export const ExplainAnswer = z.object({
  revision: Revision.describe("Of the configuration"),
  outcome: z
    .object({
      kind: z.enum(["forward", "redirect", "preflight", "error"]),
      status: z.number().int().nullable().describe("Of an answer that the gateway makes; null: an origin answers"),
      error: Text.describe("Of several refusals the first"),
      fallback: Text.describe("Who would answer instead of the error: a service, or static"),
    })
    .describe("Limits, breakers and origins as they are now; load shedding and chance are left aside"),
  request: z
    .object({
      method: z.string(),
      host: z.string(),
      path: z.string(),
      clientIp: Text,
      continent: Text,
      country: Text,
      region: Text,
      colo: Text,
    })
    .nullable(),
  routes: z
    .object({
      winner: ExplainedEntry.extend({ params: z.record(z.string(), z.string()) }).nullable(),
      losers: z
        .array(
          ExplainedEntry.extend({
            lost: z.enum(["unmatched", "outranked"]),
            criterion: z.enum(["host", "path", "method", "header", "query", "order"]),
            detail: z.string(),
          }),
        )
        .describe("Those that match first, by precedence; then by how far they match"),
      more: z.number().int().describe("Losers that are not listed"),
    })
    .nullable(),
  limits: z.array(ExplainedLimit),
  fault: z
    .object({ percent: z.number(), delayMs: z.number(), abortStatus: z.number().nullable() })
    .nullable()
    .describe("The fault that the request may meet"),
  answered: HeaderValues.nullable().describe("Headers of a redirect or of the answer to a preflight"),
  version: ExplainedVersion.nullable(),
  origins: z
    .object({
      policy: z.string(),
      zone: Text.describe("Of the request; null: zones do not matter, or none is known"),
      hashKey: Text,
      panic: z.boolean().describe("So few are good that the bad ones are used too"),
      candidates: z.array(ExplainedOrigin),
      more: z.number().int().describe("Candidates that are not listed"),
    })
    .nullable(),
  sent: z
    .object({
      method: z.string(),
      target: z.string().describe("Path and query, which follow the origin's URL"),
      headers: HeaderValues,
      edits: z
        .object({ set: HeaderValues, add: HeaderValues, remove: z.array(z.string()) })
        .nullable()
        .describe("What the route and the version change"),
    })
    .nullable()
    .describe("Placeholders are shown as placeholders"),
});
