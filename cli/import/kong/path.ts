/** A path of a route of Kong: a prefix of characters, or a regular expression that is anchored at the beginning only. */
import { Path } from "../../../src/schema/names.ts";
import type { Part } from "../reader.ts";
import { isExpression } from "../regex.ts";
import type { Match, Route } from "../types.ts";

type PathMatch = NonNullable<Match["path"]>;
type PathRewrite = NonNullable<NonNullable<Route["rewrite"]>["path"]>;

/** How a path is matched, and what is sent instead of it; undefined: it is sent as it came. */
export interface TranslatedPath {
  readonly match: PathMatch;
  readonly rewrite: PathRewrite | undefined;
  /** Characters that Kong counts for its order; null for an expression. */
  readonly prefixLength: number | null;
}

/** What decides about the path that is sent. */
export interface PathContext {
  /** Of the service, without a "/" at its end. */
  readonly basePath: string;
  readonly isStripped: boolean;
  readonly isVersion3: boolean;
}

/** A route without paths has every path. */
export function everyPath({ basePath }: PathContext): TranslatedPath {
  const rewrite = basePath === "" ? undefined : { replacePrefixMatch: basePath };
  return { match: { prefix: "/" }, rewrite, prefixLength: 0 };
}

/** Translates one path; undefined, with a note, when there is none of ours for it. */
export function translatePath(at: Part, context: PathContext): TranslatedPath | undefined {
  const text = at.text();
  if (text === undefined) return undefined;
  const isRegex = context.isVersion3 ? text.startsWith("~") : !/^[A-Za-z0-9\-._~/%]*$/.test(text);
  return isRegex ? regexOf(text.replace(/^~/, ""), at, context) : prefixOf(text, at, context);
}

function prefixOf(text: string, at: Part, { basePath, isStripped }: PathContext): TranslatedPath | undefined {
  if (!Path.safeParse(text).success) {
    at.drop(`path ${text}`, "It has characters that no path of a request has.");
    return undefined;
  }
  const prefix = text.replace(/(?<=.)\/$/, "");
  if (prefix !== text) at.remark("a prefix that ends in /", `It fits ${prefix} too.`);
  else if (text !== "/") at.remark("a prefix of characters", `It fits whole segments only: ${text} and ${text}/…`);
  const kept = basePath + (prefix === "/" ? "" : prefix);
  const replacement = isStripped ? basePath : kept;
  const isChanged = isStripped ? prefix !== "/" || basePath !== "" : basePath !== "";
  const rewrite = isChanged ? { replacePrefixMatch: replacement || "/" } : undefined;
  return { match: { prefix }, rewrite, prefixLength: text.length };
}

function regexOf(text: string, at: Part, { basePath, isStripped }: PathContext): TranslatedPath | undefined {
  const source = text.replace(/^\^/, "").replaceAll("(?<", "(?P<");
  const isWhole = /(?<!\\)\$$/.test(source);
  const body = isWhole ? source.slice(0, -1) : source;
  const regex = (body.includes("|") ? `(?:${body})` : body) + (isWhole ? "" : ".*");
  if (!isExpression(regex)) {
    at.drop(`expression ${text}`, "It is too long, or needs look-around or backreferences, which RE2 does not have.");
    return undefined;
  }
  const match = { regex };
  if (isStripped && isWhole) return { match, rewrite: { replaceFullPath: basePath || "/" }, prefixLength: null };
  if (isStripped)
    at.remark("strip_path of an expression", "The path is sent as it came; an expression cannot be cut off.");
  if (basePath !== "")
    at.remark(`path ${basePath} of the service`, "It is not put in front of what an expression matched.");
  return { match, rewrite: undefined, prefixLength: null };
}
