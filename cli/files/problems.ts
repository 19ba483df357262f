/** What is wrong with files, said so that a person finds the place. */
import type { Issue } from "../../src/errors.ts";
import { limits } from "./limits.ts";
import type { Part } from "./part.ts";
import { type Location, locationOf, locationText, type Place } from "./place.ts";
import { find } from "./pointer.ts";

/** One problem. */
export interface Problem {
  readonly detail: string;
  readonly at: Place;
  /** What of the document it is about: `/routes/users/service`. Left out: the text as such. */
  readonly path?: string;
}

/** A problem for `--json`. */
export interface ProblemReport extends Location {
  readonly detail: string;
  readonly path: string | null;
  /** Where the value is written, if it came to its place by a YAML alias. */
  readonly written: Location | null;
}

/**
 * The issues that the compiler or the gateway has with a document, at the places of its parts. Where the pointer leads to
 * nothing (a member is missing), the place is that of the nearest parent.
 */
export function problemsOf(issues: readonly Issue[], document: Part): Problem[] {
  return issues.map(({ detail, pointer }) => {
    const { part, key, isExact, path } = find(document, pointer);
    // An object may be long and begin on another line than its name, and a name can be what is wrong.
    const isOfName = !isExact || part.kind !== "scalar" || detail === "unknown key";
    return { detail, at: isOfName ? (key ?? part.at) : part.at, path };
  });
}

/** A problem with its numbers, for programs. */
export function reportOf({ detail, at, path = "" }: Problem): ProblemReport {
  return { ...locationOf(at), detail, path: path || null, written: at.written && locationOf(at.written) };
}

/** A problem for people: `file:line:column: detail (at /path)`, then the line and a mark under it. No line break at the end. */
export function problemText({ detail, at, path = "" }: Problem): string {
  // Of a file that cannot be read there is no text.
  const where = at.source.text === "" ? at.source.name : locationText(at);
  const lines = [`${where}: ${detail}${path && ` (at ${path})`}`];
  if (at.source.text !== "") lines.push(...excerptOf(at));
  if (at.written) lines.push(`  written in ${locationText(at.written)}`);
  return lines.map(printable).join("\n");
}

/** The line on which a place begins, or the part of it around the place, and a line that marks the place. */
function excerptOf(place: Place): string[] {
  const { line, column } = locationOf(place);
  const { text } = place.source;
  const lineStart = place.start - column + 1;
  const lineEnd = endOfLine(text, place.start);
  const from = Math.max(
    lineStart,
    Math.min(place.start - limits.excerptLengthMax / 2, lineEnd - limits.excerptLengthMax),
  );
  const to = Math.min(lineEnd, from + limits.excerptLengthMax);
  const gutter = `  ${line} | `;
  const before = (from > lineStart ? "…" : "") + text.slice(from, place.start);
  const marked = text.slice(place.start, Math.max(place.start, Math.min(place.end, to)));
  const after = text.slice(place.start + marked.length, to) + (to < lineEnd ? "…" : "");
  const margin = `${" ".repeat(gutter.length - 2)}| `;
  return [gutter + before + marked + after, margin + " ".repeat(lengthOf(before)) + "^".repeat(lengthOf(marked) || 1)];
}

function endOfLine(text: string, at: number): number {
  const end = /\r?(?:\n|$)/g;
  end.lastIndex = at;
  return end.exec(text)?.index ?? text.length;
}

/** In characters, as near as it can be known to what they take on a terminal. */
function lengthOf(text: string): number {
  return [...text].length;
}

/** A line that does to a terminal what it seems to: no control and no invisible characters; a tab is one space. */
function printable(line: string): string {
  return line
    .toWellFormed()
    .replaceAll("\t", " ")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\ufffd");
}
