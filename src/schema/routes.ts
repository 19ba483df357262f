/** `routes`: which requests go where, and what is changed on the way. */
import { z } from "zod";
import { bounds } from "../bounds.ts";
import { HeaderMatches, QueryMatches } from "./criteria.ts";
import { HeaderName, Method, Methods, Name, Path, Pattern } from "./names.ts";
import { one, onlyOne } from "./one-of.ts";
import { Headers, headerEditsShape, PathRewrite, Rewrite } from "./rewrites.ts";
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
      .describe("Time to the response's headers; 0 = no limit"),
    attemptMs: milliseconds.default(0).describe("One try; 0 = no limit of its own. Above 0 not yet available"),
    idleMs: milliseconds.default(0).describe("Silence in a body, either way; 0 = no limit. Above 0 not yet available"),
  })
  .refine((timeouts) => timeouts.requestMs === 0 || timeouts.attemptMs <= timeouts.requestMs, {
    error: "attemptMs is larger than requestMs",
    path: ["attemptMs"],
  });

const Retries = z.strictObject({
  attempts: z.number().int().min(0).max(10).default(2),
  codes: z.array(z.number().int().min(400).max(599)).max(64).default([502, 503, 504]),
  backoffMs: z.number().int().min(0).max(60_000).default(25),
  maxBackoffMs: z.number().int().min(0).max(60_000).default(250),
  bodyBytes: z
    .number()
    .int()
    .min(0)
    .max(10 * 1024 * 1024)
    .default(65_536),
  budget: z
    .strictObject({
      percent: z.number().min(0).max(100).default(20),
      minPerSecond: z.number().min(0).max(10_000).default(10),
    })
    .prefault({}),
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

const oneMirrorTarget = one(["version", "service"]);
const Mirror = z
  .strictObject({ version: Name.optional(), service: Name.optional(), percent: z.number().min(0).max(100).optional() })
  .refine(({ version, service }) => oneMirrorTarget.check({ version, service }), oneMirrorTarget.message);

const Fallback = z.union([
  z.strictObject({ service: Name }),
  z.strictObject({
    status: z.number().int().min(200).max(599).default(200),
    headers: Headers.optional(),
    body: z.json().optional(),
  }),
]);

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
  retries: Retries.optional().describe("Not yet available"),
  mirror: z.array(Mirror).max(4).optional().describe("Not yet available"),
  fallback: Fallback.optional().describe("Not yet available"),
});
