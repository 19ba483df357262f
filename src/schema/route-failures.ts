/** What a route does about failures: retries, hedging, mirrors, fallback, and failures that are ordered for rehearsal. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { Methods, Name } from "./names.ts";
import { one } from "./one-of.ts";
import { Headers } from "./rewrites.ts";
import { When } from "./traffic.ts";

const percent = z.number().min(0).max(100);
const backoffMs = z.number().int().min(0).max(bounds.backoffMsMax);

/** `retries` of a route. */
export const Retries = z
  .strictObject({
    attempts: z
      .number()
      .int()
      .min(0)
      .max(bounds.retriesMax)
      .default(2)
      .describe("How often a request may be sent again; 0 = never"),
    codes: z
      .array(z.number().int().min(400).max(599))
      .max(bounds.retryCodesMax)
      .default([502, 503, 504])
      .describe("Statuses of an origin that are retried; a failure before any header always is"),
    backoffMs: backoffMs
      .default(25)
      .describe("The n-th pause is drawn between 0 and this × 2ⁿ, n from 0; 0 = no pause"),
    maxBackoffMs: backoffMs.default(250).describe("Longest pause; at least backoffMs"),
    bodyBytes: z
      .number()
      .int()
      .min(0)
      .max(bounds.retryBodyBytesMax)
      .default(65_536)
      .describe("A body up to this size is kept to be sent again; above it there is no retry"),
    budget: z
      .strictObject({
        percent: percent.default(20).describe("Retries per 100 requests of the service, over 10 s, in an isolate"),
        minPerSecond: z
          .number()
          .min(0)
          .max(bounds.retryBudgetPerSecondMax)
          .default(10)
          .describe("Retries a second that are always allowed"),
      })
      .prefault({}),
  })
  .refine((retries) => retries.backoffMs <= retries.maxBackoffMs, {
    error: "is smaller than backoffMs",
    path: ["maxBackoffMs"],
  });

/** `hedging` of a route. */
export const Hedging = z.strictObject({
  percentile: z
    .number()
    .min(bounds.hedgingPercentileMin)
    .max(bounds.hedgingPercentileMax)
    .default(95)
    .describe("Of the service's latencies in this isolate: one that takes longer is asked of a second origin too"),
  minDelayMs: backoffMs.default(10).describe("The second request is never sent earlier; 0 = as the percentile says"),
});

const oneMirrorTarget = one(["version", "service"]);
/** An entry of `mirror` of a route. */
export const Mirror = z
  .strictObject({
    version: Name.optional().describe("Another version of the route's service; an entry has this or `service`"),
    service: Name.optional().describe("Another service"),
    percent: percent.default(100).describe("Share of the requests; 0 = none"),
    methods: Methods.default(["GET", "HEAD", "OPTIONS", "TRACE"]).describe("What is copied; left out: the safe ones"),
    timeoutMs: z.number().int().min(1).max(bounds.mirrorTimeoutMsMax).default(5_000).describe("For the whole exchange"),
  })
  .refine(({ version, service }) => oneMirrorTarget.check({ version, service }), oneMirrorTarget.message);

/** `fallback` of a route. */
export const Fallback = z.union([
  z.strictObject({ service: Name.describe("Another service that answers instead") }),
  z.strictObject({
    status: z.number().int().min(200).max(599).default(200).describe("Of an answer that the gateway has in store"),
    headers: Headers.optional().describe("`content-type` left out: `application/json` if there is a body"),
    body: z.json().optional().describe("Sent as JSON text; null or left out: no body"),
  }),
]);

/** An entry of `faults` of a route. */
export const Fault = z
  .strictObject({
    when: When.optional().describe("All parts must hold, of a list one is enough; left out: always"),
    percent: percent.default(100).describe("Share of the requests for which the conditions hold; 0 = none"),
    delayMs: z
      .number()
      .int()
      .min(0)
      .max(bounds.faultDelayMsMax)
      .default(0)
      .describe("Pause before the service is asked or the gateway answers; 0 = none"),
    abort: z
      .strictObject({ status: z.number().int().min(400).max(599).describe("Of the gateway's answer") })
      .optional()
      .describe("The gateway answers, and no origin is asked; left out: the request goes on"),
  })
  .refine(({ delayMs, abort }) => delayMs > 0 || abort !== undefined, { error: "needs delayMs above 0, or abort" });
