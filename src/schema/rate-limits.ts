/** `rateLimits`: named limits that routes refer to. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { HeaderName, KeySources } from "./names.ts";

const Limit = z.number().int().min(1).max(bounds.rateLimitMax);
const RollingWindow = z.strictObject({
  limit: Limit,
  seconds: z
    .number()
    .int()
    .min(1)
    .max(31 * 86_400),
});
const CalendarWindow = z.strictObject({
  limit: Limit,
  per: z.enum(["minute", "hour", "day", "month"]).describe("Aligned to the calendar; for fixed-window only"),
  timeZone: z.string().min(1).max(64).default("UTC").describe("IANA name"),
});
const Windows = z
  .array(z.union([RollingWindow, CalendarWindow]))
  .min(1)
  .max(bounds.rateLimitWindowsMax);
const Rate = z.number().gt(0).max(1_000_000);
const Burst = z.number().int().min(1).max(bounds.rateLimitMax);

/** Other numbers for some keys. */
const Override = z.strictObject({
  key: z
    .string()
    .min(1)
    .max(bounds.patternLengthMax)
    .describe("`<source>=<value>`, with `*` at its end for every value that begins so: `header:x-client-id=gold-*`"),
  windows: Windows.optional(),
  rate: Rate.optional(),
  burst: Burst.optional(),
});

/** One limit. */
export const RateLimit = z.strictObject({
  algorithm: z.enum(["sliding-window", "fixed-window", "token-bucket", "leaky-bucket"]).default("sliding-window"),
  windows: Windows.optional().describe("For the two windows; all of them count"),
  rate: Rate.optional().describe("Permits a second, for the two buckets"),
  burst: Burst.optional().describe(
    "For the two buckets: permits that may be taken at once; left out: those of one second",
  ),
  maxDelayMs: z
    .number()
    .int()
    .min(0)
    .max(bounds.rateLimitDelayMsMax)
    .default(0)
    .describe("For leaky-bucket: how long a request may be held back; 0 = it is refused"),
  key: KeySources.default(["ip"]).describe("The first that is present"),
  onMissingKey: z
    .enum(["shared", "deny"])
    .default("shared")
    .describe("No key present: one budget for all such requests, or 429"),
  cost: z
    .union([
      z.number().int().min(1).max(1_000_000),
      z
        .strictObject({ header: HeaderName })
        .describe("A request header; 1 when it is absent or no whole number above 0"),
    ])
    .default(1),
  consistency: z
    .enum(["leased", "exact", "approximate"])
    .default("leased")
    .describe("leased: strict without a call per request; exact: strict with one; approximate: a bounded excess"),
  onUnavailable: z
    .enum(["share", "deny", "allow"])
    .default("share")
    .describe("The limiter is away: each isolate goes on with its share, or refuses, or lets pass"),
  overrides: z.array(Override).max(1_000).optional().describe("The first that fits the key"),
  mode: z.enum(["enforce", "shadow"]).default("enforce").describe("shadow: decided and shown, never refused"),
  headers: z.enum(["draft", "legacy", "none"]).default("draft"),
});
