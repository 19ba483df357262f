/** What keeps a failing or overloaded service from harm: checks, ejection, breaker, limits. Each is off unless written. */
import * as z from "zod";
import { bounds } from "../bounds.ts";

const { pauseSecondsMax, resultsInRowMax, requestsCountedMax, outcomeWindowSecondsMax } = bounds;

const resultsInRow = z.number().int().min(1).max(resultsInRowMax);
const windowSeconds = z.number().int().min(1).max(outcomeWindowSecondsMax);

const Status = z.union([
  z.number().int().min(200).max(599),
  z.string().regex(/^[2-5][0-9]{2}-[2-5][0-9]{2}$/, "must be a status or a range of them, as in 200-299"),
]);

/** `healthCheck` of a service. */
export const HealthCheck = z.strictObject({
  path: z
    .string()
    .startsWith("/")
    .max(bounds.patternLengthMax)
    .default("/healthz")
    .describe("Appended to the origin's URL"),
  intervalSeconds: z
    .number()
    .int()
    .min(1)
    .max(pauseSecondsMax)
    .default(10)
    .describe("Pause between two checks of one origin, ±10 %"),
  timeoutMs: z.number().int().min(1).max(bounds.checkTimeoutMsMax).default(1_000).describe("To the response's headers"),
  statuses: z
    .array(Status)
    .min(1)
    .max(bounds.checkStatusesMax)
    .default(["200-299"])
    .describe("What passes: statuses, or ranges with both ends included. Redirects are not followed"),
  healthyAfter: resultsInRow.default(2).describe("Checks passed in a row that make an unhealthy origin healthy"),
  unhealthyAfter: resultsInRow.default(3).describe("Checks failed in a row that make an origin unhealthy"),
});

/** `outlierDetection` of a service. */
export const OutlierDetection = z.strictObject({
  consecutiveFailures: resultsInRow.default(5).describe("Failures in a row that take an origin out"),
  baseEjectionSeconds: z
    .number()
    .int()
    .min(1)
    .max(bounds.ejectionMsMax / 1_000)
    .default(30)
    .describe(`First time out; times the number of ejections, at most ${bounds.ejectionMsMax / 1_000} s, ±20 %`),
  maxEjectionPercent: z
    .number()
    .min(0)
    .max(100)
    .default(10)
    .describe("Share of the service's origins that may be out at once; one always may; 0 = none"),
});

/** `circuitBreaker` of a service; each version has one. */
export const CircuitBreaker = z
  .strictObject({
    windowSeconds: windowSeconds.default(10).describe("Results that count, by age"),
    minimumRequests: z
      .number()
      .int()
      .min(1)
      .max(requestsCountedMax)
      .default(20)
      .describe("Results in the window below which no rate opens"),
    failureRate: z.number().gt(0).max(1).default(0.5).describe("Share of failures that opens"),
    slowCallMs: z
      .number()
      .int()
      .min(1)
      .max(bounds.requestTimeoutMsMax)
      .default(2_000)
      .describe("Time to the response's headers from which a call is slow"),
    slowCallRate: z.number().gt(0).max(1).default(1).describe("Share of slow calls that opens; 1: only if all are"),
    consecutiveFailures: z
      .number()
      .int()
      .min(0)
      .max(resultsInRowMax)
      .default(0)
      .describe("Failures in a row that open, whatever the rates say; 0 = off"),
    openSeconds: z
      .number()
      .min(bounds.breakerOpenSecondsMin)
      .max(pauseSecondsMax)
      .default(5)
      .describe("First time for which it stays open; doubled by each probe that fails, ±20 %"),
    maxOpenSeconds: z
      .number()
      .min(bounds.breakerOpenSecondsMin)
      .max(pauseSecondsMax)
      .default(60)
      .describe("Where the doubling ends; at least openSeconds"),
    halfOpenProbes: z
      .number()
      .int()
      .min(1)
      .max(resultsInRowMax)
      .default(3)
      .describe("Requests let through at once, world-wide, to try the service; so many successes close"),
    recoverySeconds: z
      .number()
      .min(0)
      .max(pauseSecondsMax)
      .default(10)
      .describe("After closing, the share of requests let through rises from 10 to 100 % in this time; 0 = at once"),
  })
  .refine(({ openSeconds, maxOpenSeconds }) => openSeconds <= maxOpenSeconds, {
    error: "is smaller than openSeconds",
    path: ["maxOpenSeconds"],
  });

const concurrency = z.number().int().min(1).max(requestsCountedMax);

/** `adaptiveConcurrency` of a service. */
export const AdaptiveConcurrency = z
  .strictObject({
    minConcurrency: concurrency.default(4).describe("Requests under way in an isolate that are always allowed"),
    maxConcurrency: concurrency.default(1_000).describe("Requests under way in an isolate that are never exceeded"),
  })
  .refine(({ minConcurrency, maxConcurrency }) => minConcurrency <= maxConcurrency, {
    error: "is smaller than minConcurrency",
    path: ["maxConcurrency"],
  });

/** `clientThrottling` of a service. */
export const ClientThrottling = z.strictObject({
  windowSeconds: windowSeconds.default(30).describe("Answers that count, by age"),
  ratio: z
    .number()
    .gt(1)
    .max(bounds.throttleRatioMax)
    .default(2)
    .describe("Requests sent for each that was accepted; nearer to 1 refuses sooner"),
});
