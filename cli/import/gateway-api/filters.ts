/** Filters of a rule or of one of its backends. */
import { bounds } from "../../../src/bounds.ts";
import { Path } from "../../../src/schema/names.ts";
import { corsHeaders, corsMaxAge, corsMethods, corsOrigins } from "../cors.ts";
import { EditsBuilder, type HeaderEdits, type Side } from "../headers.ts";
import { isHostPattern } from "../hosts.ts";
import type { Part } from "../reader.ts";
import type { Match, Route } from "../types.ts";
import type { BackendSets } from "./backends.ts";

type PathRewrite = NonNullable<NonNullable<Route["rewrite"]>["path"]>;
type Redirect = NonNullable<Route["redirect"]>;

/** What filters need to know of their rule. */
export interface FilterContext {
  readonly matches: readonly Match[];
  readonly namespace: string;
  readonly sets: BackendSets;
}

/** The filters of a rule as members of a route. `isOver`: a redirect that we cannot make, so the rule has no answer. */
export function filtersOf(rule: Part, context: FilterContext): { members: Partial<Route>; isOver: boolean } {
  const members: Partial<Route> = {};
  let isOver = false;
  for (const filter of rule.get("filters").items()) {
    const type = filter.get("type").text() ?? "";
    switch (type) {
      case "RequestHeaderModifier":
        members.rewrite = { ...members.rewrite, ...headerEdits(filter.get("requestHeaderModifier"), "request") };
        break;
      case "URLRewrite":
        members.rewrite = { ...members.rewrite, ...urlRewrite(filter.get("urlRewrite"), context) };
        break;
      case "ResponseHeaderModifier":
        members.response = headerEdits(filter.get("responseHeaderModifier"), "response");
        break;
      case "RequestRedirect":
        members.redirect = redirectOf(filter.get("requestRedirect"), context);
        isOver = members.redirect === undefined;
        break;
      case "RequestMirror":
        addMirror(filter.get("requestMirror"), members, context);
        break;
      case "CORS":
        members.cors = corsOf(filter.get("cors"));
        break;
      default:
        filter.drop(`filter ${type}`, "Requests get through without what it does.");
    }
  }
  return { members, isOver };
}

/** The filters of one backend as the rewrite of its entry in a split. */
export function backendFilters(ref: Part, context: FilterContext): Route["rewrite"] {
  let rewrite: NonNullable<Route["rewrite"]> = {};
  for (const filter of ref.get("filters").items()) {
    const type = filter.get("type").text() ?? "";
    if (type === "RequestHeaderModifier") {
      rewrite = { ...rewrite, ...headerEdits(filter.get("requestHeaderModifier"), "request") };
    } else if (type === "URLRewrite") rewrite = { ...rewrite, ...urlRewrite(filter.get("urlRewrite"), context) };
    else filter.drop(`filter ${type} of one backend`, "Only requests are changed for one backend.");
  }
  return Object.keys(rewrite).length > 0 ? rewrite : undefined;
}

function headerEdits(part: Part, side: Side): HeaderEdits | undefined {
  const builder = new EditsBuilder(side);
  for (const item of part.get("set").items()) builder.set(nameOf(item), item.get("value").text() ?? "", item);
  for (const item of part.get("add").items()) builder.add(nameOf(item), item.get("value").text() ?? "", item);
  for (const item of part.get("remove").items()) builder.remove(item.text() ?? "", item);
  return builder.done();
}

const nameOf = (item: Part): string => item.get("name").text() ?? "";

function urlRewrite(part: Part, context: FilterContext): { path?: PathRewrite } {
  const hostname = part.get("hostname");
  if (hostname.exists) hostname.drop("rewrite of the host", "Host is that of the origin's URL.");
  const path = pathRewrite(part.get("path"), context);
  return path ? { path } : {};
}

function pathRewrite(part: Part, { matches }: FilterContext): PathRewrite | undefined {
  if (!part.exists) return undefined;
  const type = part.get("type").text();
  const member = type === "ReplaceFullPath" ? "replaceFullPath" : "replacePrefixMatch";
  const value = part.get(member).text() ?? "";
  const isPath = Path.safeParse(value).success || (value === "" && member === "replacePrefixMatch");
  const fits = member === "replaceFullPath" || matches.every(({ path }) => path?.prefix !== undefined);
  if (isPath && fits && (type === "ReplaceFullPath" || type === "ReplacePrefixMatch")) return { [member]: value };
  part.drop("rewrite of the path", "It needs a path of a URL and, to replace a prefix, matches that are prefixes.");
  return undefined;
}

function redirectOf(part: Part, context: FilterContext): Redirect | undefined {
  const [scheme, hostname, port] = [part.get("scheme").text(), part.get("hostname").text(), part.get("port").number()];
  const path = pathRewrite(part.get("path"), context);
  const status = part.get("statusCode").number() ?? 302;
  const isKnown = (scheme === undefined || scheme === "http" || scheme === "https") && statuses.includes(status);
  const isOurs = isKnown && (hostname === undefined || isHostPattern(hostname));
  if (isOurs && (hostname !== undefined || path !== undefined || (scheme === undefined && port !== undefined))) {
    const statusCode = status as Redirect["statusCode"];
    return {
      ...(scheme !== undefined && { scheme: scheme as "http" | "https" }),
      ...(hostname !== undefined && { hostname }),
      ...(port !== undefined && { port }),
      ...(path && { path }),
      statusCode,
    };
  }
  const hint =
    "A route is for HTTP and HTTPS alike, so this would go in circles. Let Cloudflare do it (Always Use HTTPS).";
  if (isOurs && scheme !== undefined) part.drop(`redirect to ${scheme}`, hint);
  else part.drop("redirect", "It changes nothing, or has a scheme, host or status that is not possible.");
  return undefined;
}

const statuses = [301, 302, 303, 307, 308];

function addMirror(part: Part, members: Partial<Route>, { sets, namespace }: FilterContext): void {
  const mirrors = members.mirror ?? [];
  if (mirrors.length === bounds.mirrorsPerRouteMax) {
    part.drop("mirror", `A route has at most ${bounds.mirrorsPerRouteMax}.`);
    return;
  }
  const ref = part.get("backendRef");
  const { service } = sets([ref], namespace);
  ref.remark("mirror", `Requests with a body above ${bounds.copiedBodyBytesMax} bytes are not copied.`);
  const numerator = part.get("fraction").get("numerator").number();
  const share =
    numerator === undefined ? undefined : (100 * numerator) / (part.get("fraction").get("denominator").number() ?? 100);
  const percent = part.get("percent").number() ?? share;
  const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
  members.mirror = [...mirrors, { service, methods, ...(percent !== undefined && { percent }) }];
}

function corsOf(part: Part): NonNullable<Route["cors"]> {
  const credentials = part.get("allowCredentials").flag();
  return {
    allowOrigins: corsOrigins(part.get("allowOrigins")),
    allowMethods: corsMethods(part.get("allowMethods")),
    allowHeaders: corsHeaders(part.get("allowHeaders")),
    exposeHeaders: corsHeaders(part.get("exposeHeaders")),
    ...(credentials !== undefined && { allowCredentials: credentials }),
    ...corsMaxAge(part.get("maxAge")),
  };
}
