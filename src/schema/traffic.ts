/** `traffic` of a route: which version of its service answers. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { CookieMatches, HeaderMatches, QueryMatches } from "./criteria.ts";
import { HeaderName, KeySources, Methods, Name, ParameterName, Weight } from "./names.ts";
import { one, onlyOne } from "./one-of.ts";
import { Rewrite } from "./rewrites.ts";

const oneVersionSource = one(["header", "query", "cookie", "param", "accept"]);
const VersionSource = z
  .strictObject({
    header: HeaderName.optional().describe("A request header"),
    query: ParameterName.optional().describe("A query parameter"),
    cookie: ParameterName.optional().describe("A cookie"),
    param: ParameterName.optional().describe("Parameter of a pattern path"),
    accept: z.literal("version").optional().describe("The `version` parameter of a media type in Accept"),
  })
  .refine(oneVersionSource.check, oneVersionSource.message)
  .meta(onlyOne);

/** Conditions on a request; all parts must hold. */
export const When = z.strictObject({
  headers: HeaderMatches.optional(),
  query: QueryMatches.optional(),
  cookies: CookieMatches.optional(),
  methods: Methods.optional(),
  country: z
    .array(z.string().regex(/^[A-Z0-9]{2}$/, "must be an ISO 3166-1 alpha-2 code in upper case"))
    .min(1)
    .max(256)
    .optional(),
  region: z
    .array(z.string().regex(/^[A-Z0-9]{1,3}$/, "must be an ISO 3166-2 code without the country"))
    .min(1)
    .max(256)
    .optional(),
  colo: z
    .array(z.string().regex(/^[A-Z]{3}$/, "must be an IATA code in upper case"))
    .min(1)
    .max(512)
    .optional(),
  ip: z.array(z.string().max(64)).min(1).max(1_000).optional().describe("Addresses or CIDR ranges"),
});

const onEmpty = z
  .enum(["error", "next"])
  .default("error")
  .describe("What happens when no origin of the version is usable");
const SplitEntry = z.strictObject({
  version: Name,
  weight: Weight.describe("Share of the sum"),
  rewrite: Rewrite.optional().describe("On top of the route's"),
});

/** One traffic rule; the first that applies chooses the version. */
export const TrafficRule = z.union([
  z.strictObject({
    versionFrom: VersionSource.describe("The request names its version; applies when the value is there"),
    onUnknown: z
      .enum(["reject", "next"])
      .default("reject")
      .describe("When nobody has that version: 400 `version_unknown`, or the next rule"),
    onEmpty,
  }),
  z.strictObject({
    when: When.optional().describe("All parts must hold, of a list one is enough; left out: always"),
    version: Name,
    onEmpty,
  }),
  z.strictObject({
    split: z
      .array(SplitEntry)
      .min(1)
      .max(bounds.splitVersionsMax)
      .refine((split) => split.some((entry) => entry.weight > 0), { error: "the weights add up to 0" }),
    stickyBy: KeySources.optional().describe(
      "The first key that the request has decides; left out: every request draws",
    ),
    onEmpty,
  }),
]);
