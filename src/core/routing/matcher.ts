import { normalizePath } from "./path.ts";
import { type PatternSegment, patternLiteralLength, patternText } from "./pattern.ts";
import { regexLiteral } from "./regex.ts";

/** The whole path, case-sensitive. */
export interface ExactPath {
  readonly kind: "exact";
  readonly path: string;
}

/** Whole leading segments. `path` is without its trailing "/": "/api"; "" for the prefix "/", which fits every path. */
export interface PrefixPath {
  readonly kind: "prefix";
  readonly path: string;
}

export interface PatternPath {
  readonly kind: "pattern";
  readonly path: string;
  readonly segments: readonly PatternSegment[];
}

export interface RegexPath {
  readonly kind: "regex";
  readonly source: string;
  /** Gets the whole normalised path and must match all of it. */
  readonly test: (normalizedPath: string) => boolean;
}

/** Which paths an entry is for, in the form in which paths are compared (`normalizePath`). */
export type PathMatcher = ExactPath | PrefixPath | PatternPath | RegexPath;

/** `text` begins with "/". */
export function exactPath(text: string): ExactPath {
  return { kind: "exact", path: normalizePath(text) };
}

/** `text` begins with "/"; one "/" at its end is ignored. */
export function prefixPath(text: string): PrefixPath {
  const path = normalizePath(text);
  return { kind: "prefix", path: path.endsWith("/") ? path.slice(0, -1) : path };
}

/** Takes what `parsePattern` made of the text. */
export function patternPath(segments: readonly PatternSegment[]): PatternPath {
  return { kind: "pattern", path: patternText(segments), segments };
}

/** The expression is taken as it is: it is written for normalised paths. */
export function regexPath(source: string, test: (normalizedPath: string) => boolean): RegexPath {
  return { kind: "regex", source, test };
}

/** Literal characters: the more of them, the more specific the path. The prefix "/" has one. */
export function literalLength(path: PathMatcher): number {
  switch (path.kind) {
    case "exact":
    case "prefix":
      return Math.max(1, path.path.length);
    case "pattern":
      return patternLiteralLength(path.segments);
    case "regex":
      return regexLiteral(path.source).length;
  }
}
