/** `rateLimits`: named limits that routes refer to. */
import { z } from "zod";
import { bounds } from "../bounds.ts";
import { KeySources } from "./names.ts";

const Window = z.strictObject({
  limit: z.number().int().min(1).max(1_000_000_000),
  seconds: z
    .number()
    .int()
    .min(1)
    .max(31 * 86_400),
});
const Windows = z.array(Window).min(1).max(8);

const Override = z.strictObject({
  key: z.string().min(1).max(bounds.patternLengthMax),
  windows: Windows.optional(),
  rate: z.number().gt(0).max(1_000_000).optional(),
  burst: z.number().int().min(1).max(1_000_000_000).optional(),
});

/** One limit. */
export const RateLimit = z.strictObject({
  algorithm: z.enum(["sliding-window", "fixed-window", "token-bucket", "leaky-bucket"]).default("sliding-window"),
  windows: Windows.optional(),
  rate: z.number().gt(0).max(1_000_000).optional().describe("Permits a second, for the two buckets"),
  burst: z.number().int().min(1).max(1_000_000_000).optional(),
  maxDelayMs: z.number().int().min(0).max(60_000).optional(),
  key: KeySources.optional(),
  cost: z.number().int().min(1).max(1_000_000).default(1),
  consistency: z.enum(["leased", "exact", "approximate"]).default("leased"),
  onUnavailable: z.enum(["share", "deny", "allow"]).default("share"),
  overrides: z.array(Override).max(1_000).optional(),
  mode: z.enum(["enforce", "shadow"]).default("enforce"),
  headers: z.enum(["draft", "legacy", "none"]).default("draft"),
});
