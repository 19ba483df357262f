/** `routes`: which requests go where, and what is changed on the way. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { HeaderMatches, QueryMatches } from "./criteria.ts";
import { HeaderName, Method, Methods, Name, Path, Pattern } from "./names.ts";
import { one, onlyOne } from "./one-of.ts";
import { headerEditsShape, PathRewrite, Rewrite } from "./rewrites.ts";
import { Fallback, Fault, Hedging, Mirror, Retries } from "./route-failures.ts";
import { TrafficRule } from "./traffic.ts";

const onePath = one(["exact", "prefix", "pattern", "regex"]);
const PathMatch = z
  .strictObject({
    exact: Path.optional().describe("The whole path"),
    prefix: Path.optional().describe("Whole leading segments; a `/` at the end is ignored"),
    pattern: Path.optional().describe("Whole segments, `:name` for one segment, a last `*` for the rest"),
    regex: Pattern.optional().describe("RE2 syntax, over the whole path"),
  })
  .refine(onePath.check, onePath.message)
  .meta(onlyOne);

/** One set of conditions, all of which must hold. */
const Match = z.strictObject({
  path: PathMatch.optional().describe("Left out: the prefix `/`"),
  methods: Methods.optional().describe("Upper case; HEAD is not GET"),
  headers: HeaderMatches.optional().describe("All must hold"),
  query: QueryMatches.optional().describe("All must hold"),
});

const milliseconds = z.number().int().min(0).max(bounds.requestTimeoutMsMax);
const Timeouts = z
  .strictObject({
    requestMs: milliseconds
      .default(bounds.requestTimeoutMsDefault)
      .describe("Time to the response's headers, all tries and waits included; 0 = no limit"),
    attemptMs: milliseconds.default(0).describe("The same, of one try; 0 = no limit of its own"),
    idleMs: milliseconds.default(0).describe("Silence in a body, either way; 0 = no limit"),
  })
  .refine((timeouts) => timeouts.requestMs === 0 || timeouts.attemptMs <= timeouts.requestMs, {
    error: "attemptMs is larger than requestMs",
    path: ["attemptMs"],
  });

const Cors = z.strictObject({
  allowOrigins: z
    .array(z.string().min(1).max(512))
    .max(256)
    .default([])
    .describe("Exact, `*`, or a wildcard as first label: `https://*.example.com`"),
  allowMethods: z
    .array(z.union([Method, z.literal("*")]))
    .max(64)
    .default([])
    .describe("Empty: GET, HEAD, POST"),
  allowHeaders: z.array(HeaderName).max(64).default([]),
  exposeHeaders: z.array(HeaderName).max(64).default([]),
  allowCredentials: z.boolean().default(false).describe("The origin is then echoed, never `*`"),
  maxAge: z
    .number()
    .int()
    .min(0)
    .max(bounds.corsMaxAgeSecondsMax)
    .default(bounds.corsMaxAgeSecondsDefault)
    .describe("Seconds that a browser may keep a preflight's answer"),
});

const Redirect = z.strictObject({
  scheme: z.enum(["http", "https"]).optional().describe("Left out: the request's"),
  hostname: z.string().min(1).max(253).optional().describe("Left out: the request's"),
  port: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe("Left out: the scheme's own if that is set, else the request's"),
  path: PathRewrite.optional(),
  statusCode: z.literal([301, 302, 303, 307, 308]).default(302),
});

/** One route. Hosts and matches choose it; a `service` answers, or a `redirect`. */
export const Route = z.strictObject({
  name: Name.describe("Unique"),
  hosts: z
    .array(z.string().min(1).max(255))
    .min(1)
    .max(bounds.hostsPerRouteMax)
    .optional()
    .describe("Exact, or `*.example.com`; left out: every host"),
  matches: z
    .array(Match)
    .min(1)
    .max(bounds.matchesPerRouteMax)
    .optional()
    .describe("One is enough; left out: every path"),
  service: Name.optional().describe("Who answers; a route has this or `redirect`"),
  redirect: Redirect.optional().describe("Answers instead of a service"),
  traffic: z
    .array(TrafficRule)
    .max(bounds.trafficRulesPerRouteMax)
    .optional()
    .describe("The first rule that applies chooses the version"),
  rewrite: Rewrite.optional().describe("Changes to the request"),
  response: z.strictObject(headerEditsShape).optional().describe("Changes to the answer"),
  cors: Cors.optional().describe("The gateway answers preflights"),
  rateLimits: z
    .array(Name)
    .max(8)
    .optional()
    .describe("Limits that a request must all pass; it takes from all or none"),
  timeouts: Timeouts.prefault({}),
  retries: Retries.optional().describe("Failed requests are sent again where that is safe; `{}` with defaults"),
  hedging: Hedging.optional().describe("A slow request is sent to a second origin too; `{}` with defaults"),
  mirror: z
    .array(Mirror)
    .max(bounds.mirrorsPerRouteMax)
    .optional()
    .describe("Copies of requests; what they are answered is dropped"),
  fallback: Fallback.optional().describe("Answers where the gateway would have to with a failure of its own"),
  faults: z
    .array(Fault)
    .max(bounds.faultsPerRouteMax)
    .optional()
    .describe("Failures for rehearsal; the first whose conditions hold counts. Needs `gateway.allowFaults`"),
});
