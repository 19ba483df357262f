/** Bodies and answers of the admin API. Requests are strict: an unknown member is an error. */
import { z } from "zod";
import { bounds } from "../bounds.ts";
import { Name, Weight } from "./names.ts";

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
export const ApplyAnswer = z.object({
  revision: Revision,
  hash: z.string().describe("SHA-256 of the document's text"),
  changes: z
    .array(
      z.object({
        op: z.enum(["add", "remove", "replace", "reorder"]),
        path: z.string().describe("JSON pointer: into the old document for remove, into the new one otherwise"),
        from: z.unknown().optional(),
        to: z.unknown().optional(),
      }),
    )
    .describe("Placeholders are shown as placeholders"),
  truncated: z.boolean().describe("There are more changes than are listed"),
  warnings: z.array(Issue),
});

export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  requestId: z.string(),
  errors: z.array(Issue).optional(),
});

export const Health = z.object({
  status: z.enum(["ok", "unconfigured"]),
  version: z.string().describe("Of the deployed Worker"),
  configRevision: Revision,
  snapshotAgeMs: z.number(),
  problems: z.array(z.string()).optional().describe("Why the snapshot may be old"),
});
