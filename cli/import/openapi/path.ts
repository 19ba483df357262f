/** A path of an OpenAPI document, which may have parameters in braces, as a path of ours. */
import { bounds } from "../../../src/bounds.ts";
import { Path } from "../../../src/schema/names.ts";
import { newNames } from "../names.ts";
import type { Match } from "../types.ts";

type PathMatch = NonNullable<Match["path"]>;

/**
 * Without parameters `exact`; with parameters that are whole segments a `pattern`; with others, as in `/report.{format}`, a
 * `regex` in which a parameter is anything but "/". undefined when the text is no path of a URL.
 */
export function pathMatch(text: string): PathMatch | undefined {
  const literal = text.replace(/\{[^{}/]*\}/g, "x");
  if (!Path.safeParse(literal).success || text.length > bounds.patternLengthMax) return undefined;
  if (literal === text) return { exact: text };
  const names = newNames("p");
  const segments = text.split("/").map((segment) => {
    const parameter = /^\{([^{}]*)\}$/.exec(segment)?.[1];
    if (parameter !== undefined) return `:${names(parameterName(parameter)).replaceAll("-", "_")}`;
    return /[{:*]/.test(segment) ? null : segment;
  });
  if (!segments.includes(null)) return { pattern: segments.join("/") };
  return {
    regex: text
      .split(/\{[^{}/]*\}/)
      .map(escaped)
      .join("[^/]+"),
  };
}

/** Letters, digits and "_", no digit first. */
function parameterName(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^_+|_+$/g, "");
  return /^[0-9]/.test(name) ? `p${name}` : name;
}

const escaped = (text: string): string => text.replace(/[.^$*+?()[\]{}|\\]/g, "\\$&");
