import { normalizePath, segmentsOf } from "./path.ts";

/** One segment of a pattern: literal text, a parameter (one segment, never empty), or the rest of the path, even none. */
export type PatternSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "rest" };

/** A pattern's segments (`rest` only as the last one), or a sentence on what is wrong with the text. */
export type ParsedPattern =
  | { readonly ok: true; readonly segments: readonly PatternSegment[] }
  | { readonly ok: false; readonly problem: string };

const paramName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reads a pattern such as `/users/:id/*`. Literal segments are normalised. */
export function parsePattern(text: string): ParsedPattern {
  if (!text.startsWith("/")) return problem('a pattern begins with "/"');
  const parts = segmentsOf(text);
  const names = new Set<string>();
  const segments: PatternSegment[] = [];
  for (const [index, part] of parts.entries()) {
    const segment = parseSegment(part);
    if (typeof segment === "string") return problem(segment);
    if (segment.kind === "rest" && index !== parts.length - 1) return problem('"*" may only be the last segment');
    if (segment.kind === "param") {
      if (names.has(segment.name)) return problem(`the parameter "${part}" occurs twice`);
      names.add(segment.name);
    }
    segments.push(segment);
  }
  return { ok: true, segments };
}

/** A segment, or what is wrong with it. */
function parseSegment(part: string): PatternSegment | string {
  if (part === "*") return { kind: "rest" };
  if (part.includes("*")) return `"*" must be a whole segment, not a part of "${part}"`;
  if (!part.includes(":")) return { kind: "literal", text: normalizePath(part) };
  if (!part.startsWith(":")) return `a parameter must be a whole segment, not a part of "${part}"`;
  const name = part.slice(1);
  if (paramName.test(name)) return { kind: "param", name: propertyName(name) };
  return `"${part}" is no parameter: its name is made of letters, digits and "_" and begins with no digit`;
}

/** The same text, but the very string that engines keep for names of properties: `readParams` need not look for it. */
function propertyName(name: string): string {
  return Object.keys({ [name]: null })[0]!;
}

function problem(sentence: string): ParsedPattern {
  return { ok: false, problem: sentence };
}

/** The pattern's text after normalisation. */
export function patternText(segments: readonly PatternSegment[]): string {
  return segments.map((segment) => `/${segmentText(segment)}`).join("");
}

function segmentText(segment: PatternSegment): string {
  if (segment.kind === "literal") return segment.text;
  return segment.kind === "param" ? `:${segment.name}` : "*";
}

/** Characters of the pattern without its parameters and without "*": `/users/:id/*` has 8. */
export function patternLiteralLength(segments: readonly PatternSegment[]): number {
  return segments.reduce((sum, segment) => sum + 1 + (segment.kind === "literal" ? segment.text.length : 0), 0);
}

/**
 * Values of the parameters in a normalised path that fits the pattern, still percent-encoded as it is there. The object
 * has no prototype: no name can reach anything but its value.
 */
export function readParams(segments: readonly PatternSegment[], normalizedPath: string): Record<string, string> {
  const params: Record<string, string> = Object.create(null);
  let start = 1;
  for (const segment of segments) {
    const slash = normalizedPath.indexOf("/", start);
    const end = slash === -1 ? normalizedPath.length : slash;
    if (segment.kind === "param") params[segment.name] = normalizedPath.slice(start, end);
    start = end + 1;
  }
  return params;
}
