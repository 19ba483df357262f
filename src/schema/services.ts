/** `services`: who answers. An empty object declares a service whose origins register themselves. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { LoadBalancing } from "./balancing.ts";
import { Instant, Name, Weight } from "./names.ts";
import {
  AdaptiveConcurrency,
  CircuitBreaker,
  ClientThrottling,
  HealthCheck,
  OutlierDetection,
} from "./service-health.ts";

/** An origin that the document lists; it has no lease. */
export const StaticOrigin = z.strictObject({
  id: Name.describe("Unique within the service"),
  url: z
    .string()
    .max(bounds.originUrlLengthMax)
    .describe("http or https; may have a path, to which the request's is appended"),
  version: Name.optional().describe("What traffic rules choose by"),
  weight: Weight.default(1).describe("Share of the traffic, relative to the others'; 0 = no new traffic"),
  zone: Name.optional().describe("Where it is, for `loadBalancing.zones`"),
});

const Registration = z.strictObject({
  allowedHosts: z
    .array(z.string().min(1).max(255))
    .max(bounds.hostsPerRouteMax)
    .optional()
    .describe("Hosts that a registered URL may have, exact or `*.suffix`; left out: any public host"),
  ttlSeconds: z
    .strictObject({
      default: z
        .number()
        .int()
        .min(bounds.leaseTtlSecondsMin)
        .max(bounds.leaseTtlSecondsMax)
        .default(bounds.leaseTtlSecondsDefault),
      min: z
        .number()
        .int()
        .min(bounds.leaseTtlSecondsMin)
        .max(bounds.leaseTtlSecondsMax)
        .default(bounds.leaseTtlSecondsMin),
      max: z
        .number()
        .int()
        .min(bounds.leaseTtlSecondsMin)
        .max(bounds.leaseTtlSecondsMax)
        .default(bounds.leaseTtlSecondsMax),
    })
    .refine((ttl) => ttl.min <= ttl.default && ttl.default <= ttl.max, { error: "needs min <= default <= max" })
    .prefault({}),
});

/** What is said of one version of a service. */
const Version = z.strictObject({
  deprecation: Instant.optional().describe(
    "Since when the version is deprecated; answers carry `Deprecation` (RFC 9745)",
  ),
  sunset: Instant.optional().describe("When the version is expected to go; answers carry `Sunset` (RFC 8594)"),
});

/** One service. */
export const Service = z.strictObject({
  origins: z
    .array(StaticOrigin)
    .max(bounds.staticOriginsPerServiceMax)
    .default([])
    .describe("Origins without a lease; others may register themselves"),
  defaultVersion: Name.optional().describe(
    "Version when no traffic rule applies; left out: every origin of the service",
  ),
  versions: z.record(Name, Version).optional().describe("What is said of a version, by its name"),
  registration: Registration.prefault({}),
  loadBalancing: LoadBalancing.prefault({}),
  healthCheck: HealthCheck.optional().describe(
    "Every origin is asked now and then; off unless written, `{}` with defaults",
  ),
  outlierDetection: OutlierDetection.optional().describe("Single origins that fail are taken out; off unless written"),
  circuitBreaker: CircuitBreaker.optional().describe("A failing version is given time to recover; off unless written"),
  maxConcurrentRequests: z
    .number()
    .int()
    .min(0)
    .max(bounds.requestsCountedMax)
    .default(0)
    .describe("Requests of the service under way at once, world-wide; 0 = no limit"),
  adaptiveConcurrency: AdaptiveConcurrency.optional().describe(
    "Each isolate refuses what makes the service slower; off unless written",
  ),
  clientThrottling: ClientThrottling.optional().describe(
    "Each isolate refuses a part of the requests while origins answer 429 or 503; off unless written",
  ),
});
