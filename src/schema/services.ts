/** `services`: who answers. An empty object declares a service whose origins register themselves. */
import { z } from "zod";
import { bounds } from "../bounds.ts";
import { Instant, KeySources, Name, Weight } from "./names.ts";

/** An origin that the document lists; it has no lease. */
export const StaticOrigin = z.strictObject({
  id: Name.describe("Unique within the service"),
  url: z
    .string()
    .max(bounds.originUrlLengthMax)
    .describe("http or https; may have a path, to which the request's is appended"),
  version: Name.optional().describe("What traffic rules choose by"),
  weight: Weight.default(1).describe("Share of the traffic, relative to the others'; 0 = no new traffic"),
  zone: Name.optional().describe("Where it is; shown"),
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

const LoadBalancing = z.strictObject({
  policy: z
    .enum(["round-robin", "random", "least-request", "ewma", "consistent-hash"])
    .default("least-request")
    .describe("How an origin is chosen among those of the version. `ewma` and `consistent-hash` are not yet available"),
  hashOn: KeySources.optional().describe("For consistent-hash only"),
});

const HealthCheck = z.strictObject({
  path: z.string().startsWith("/").max(bounds.patternLengthMax).default("/healthz"),
  intervalSeconds: z.number().int().min(1).max(3_600).default(10),
  timeoutMs: z.number().int().min(1).max(60_000).default(1_000),
  healthyAfter: z.number().int().min(1).max(100).default(2),
  unhealthyAfter: z.number().int().min(1).max(100).default(3),
});

const OutlierDetection = z.strictObject({
  consecutiveFailures: z.number().int().min(1).max(1_000).default(5),
  baseEjectionSeconds: z.number().int().min(1).max(3_600).default(30),
  maxEjectionPercent: z.number().min(0).max(100).default(10),
});

const CircuitBreaker = z.strictObject({
  windowSeconds: z.number().int().min(1).max(600).default(10),
  minimumRequests: z.number().int().min(1).max(1_000_000).default(20),
  failureRate: z.number().gt(0).max(1).default(0.5),
  slowCallMs: z.number().int().min(1).max(3_600_000).default(2_000),
  slowCallRate: z.number().gt(0).max(1).default(1),
  openSeconds: z.number().min(0.1).max(3_600).default(5),
  maxOpenSeconds: z.number().min(0.1).max(3_600).default(60),
  halfOpenProbes: z.number().int().min(1).max(1_000).default(3),
  recoverySeconds: z.number().min(0).max(3_600).default(10),
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
  healthCheck: HealthCheck.optional().describe("Not yet available"),
  outlierDetection: OutlierDetection.optional().describe("Not yet available"),
  circuitBreaker: CircuitBreaker.optional().describe("Not yet available"),
  maxConcurrentRequests: z
    .number()
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe("0 = no limit. Above 0 not yet available"),
});
