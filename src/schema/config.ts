/** The configuration document: everything a person writes. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { Name } from "./names.ts";
import { RateLimit } from "./rate-limits.ts";
import { Route } from "./routes.ts";
import { Service } from "./services.ts";

const Gateway = z.strictObject({
  trustedProxyHops: z
    .number()
    .int()
    .min(0)
    .max(bounds.trustedProxyHopsMax)
    .default(0)
    .describe("Proxies of yours in front of the gateway, whose X-Forwarded-For is believed; 0: the peer is the client"),
  debugHeaders: z.boolean().default(false).describe("Every answer carries `sluice-decision`"),
  echoRequestId: z.boolean().default(false).describe("Every answer carries `x-request-id`"),
  allowFaults: z.boolean().default(false).describe("Routes may have `faults`; false: they are refused"),
  maxBodyBytes: z
    .number()
    .int()
    .min(0)
    .max(bounds.bodyBytesMax)
    .default(bounds.bodyBytesDefault)
    .describe("0 = no body is accepted"),
});

const record = <T extends z.ZodType>(value: T, entriesMax: number) =>
  z
    .record(Name, value)
    .refine((entries) => Object.keys(entries).length <= entriesMax, { error: `at most ${entriesMax} entries` })
    .default({});

/** The whole document. `{}` is valid: everything is 404. */
export const Config = z.strictObject({
  $schema: z.string().max(bounds.patternLengthMax).optional(),
  gateway: Gateway.prefault({}),
  services: record(Service, bounds.servicesMax).describe("Who answers, by name"),
  rateLimits: record(RateLimit, 1_000).describe("Limits by name, for routes to refer to"),
  routes: z.array(Route).max(bounds.routesMax).default([]).describe("Which requests go where"),
});

/** The document after parsing: every default is in place. */
export type Config = z.output<typeof Config>;
export type AuthoredRoute = Config["routes"][number];
export type AuthoredService = Config["services"][string];
export type AuthoredTrafficRule = NonNullable<AuthoredRoute["traffic"]>[number];
export type AuthoredRewrite = NonNullable<AuthoredRoute["rewrite"]>;

/** JSON Schema (draft 2020-12) of the document as a person writes it, for editors and for `/_sluice/schema.json`. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(Config, { io: "input", target: "draft-2020-12" });
  return { title: "Sluice configuration", ...schema };
}
