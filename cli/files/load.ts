/** Paths -> the one document that they make, with the places of its parts. */
import { bounds } from "../../src/bounds.ts";
import type { JsonValue } from "../../src/core/json/types.ts";
import { joinDocuments } from "./join.ts";
import { limits } from "./limits.ts";
import { applyOverlay } from "./overlay.ts";
import { parse } from "./parse.ts";
import { canonicalText, jsonOf, type Part } from "./part.ts";
import { type Location, locationOf, placeIn } from "./place.ts";
import { find } from "./pointer.ts";
import type { Problem } from "./problems.ts";
import { type ReadSource, readSource, stdinPath } from "./read.ts";

/** A document read from files. */
export interface Loaded {
  readonly ok: true;
  readonly document: JsonValue;
  /** The document as canonical JSON (RFC 8785). */
  readonly text: string;
  /** The document with the places of its parts, for `problemsOf`. */
  readonly root: Part;
  /** Where the value stands to which a JSON pointer leads, or its nearest parent that exists. */
  readonly locate: (pointer: string) => Location;
}

/** The document, or what is wrong with the files: the first `bounds.issuesMax` problems, and how many there are. */
export type LoadResult = Loaded | { readonly ok: false; readonly problems: readonly Problem[]; readonly total: number };

/** Paths of files, `-` for standard input, which can be read once. Several documents in one YAML file are as several files. */
export interface FilePaths {
  /** What the document is joined of. Each must say something, if only `{}`: an empty file is rather a mistake. */
  readonly files: readonly string[];
  /** Applied one after the other. One that says nothing changes nothing. */
  readonly overlays: readonly string[];
}

/** Reads, joins and overlays. Never throws for what is in the files, or for a file that is not there. */
export async function load({ files, overlays }: FilePaths, read: ReadSource = readSource): Promise<LoadResult> {
  const problems: Problem[] = [];
  if ([...files, ...overlays].filter((path) => path === stdinPath).length > 1) {
    problems.push(problemOf(stdinPath, "standard input can be read only once"));
  }
  const bases = await documentsOf(files, read, true, problems);
  const changes = await documentsOf(overlays, read, false, problems);
  if (files.length === 0) problems.push(problemOf("files", "none is given"));
  const [first, ...others] = bases;
  if (first === undefined || problems.length > 0) return refused(problems);

  const joined = joinDocuments([first, ...others]);
  if (joined.problems.length > 0) return refused(joined.problems);
  let root = joined.document;
  for (const change of changes) {
    const changed = applyOverlay(root, change);
    if (changed.problems.length > 0) return refused(changed.problems);
    root = changed.document;
  }
  return loaded(root);
}

async function documentsOf(
  paths: readonly string[],
  read: ReadSource,
  mustSay: boolean,
  problems: Problem[],
): Promise<Part[]> {
  const documents: Part[] = [];
  for (const path of paths) {
    const source = await read(path);
    if (typeof source === "string") {
      problems.push(problemOf(path, source));
      continue;
    }
    const parsed = parse(source);
    // Not spread into one call: there may be more than a stack holds.
    for (const problem of parsed.problems) problems.push(problem);
    for (const document of parsed.documents) documents.push(document);
    const isEmpty = parsed.documents.length === 0 && parsed.problems.length === 0;
    if (isEmpty && mustSay)
      problems.push(problemOf(source.name, "there is nothing in it; an empty configuration is {}"));
  }
  return documents;
}

function loaded(root: Part): LoadResult {
  const text = canonicalText(root);
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.fileBytesMax) {
    const detail = `all together is ${bytes} bytes of JSON; at most ${limits.fileBytesMax} are accepted`;
    return refused([{ detail, at: root.at }]);
  }
  return { ok: true, document: jsonOf(root), text, root, locate: (pointer) => locationOf(find(root, pointer).part.at) };
}

/** A problem with a file as a whole. */
function problemOf(name: string, detail: string): Problem {
  return { detail, at: placeIn({ name, text: "" }, 0, 0) };
}

function refused(problems: readonly Problem[]): LoadResult {
  return { ok: false, problems: problems.slice(0, bounds.issuesMax), total: problems.length };
}
