import type { RequestFacts } from "../facts.ts";
import { meetsConditions, type RouteEntry } from "./entry.ts";
import type { PatternPath, PrefixPath, RegexPath } from "./matcher.ts";
import { segmentsOf } from "./path.ts";
import { mandatorySegments } from "./regex.ts";

/** An entry and its place among all entries of the table; the smaller rank wins. */
export interface Ranked<R> {
  readonly entry: RouteEntry<R>;
  readonly rank: number;
}

/** A node is reached by the segments of a path. Lists are by rank, as entries arrive; null stands for an empty one. */
export interface TrieNode<R> {
  /** Smallest rank at this node and below: a search that has a better one need not come here. */
  readonly rank: number;
  literals: Map<string, TrieNode<R>> | null;
  param: TrieNode<R> | null;
  /** For paths that end here. */
  ends: Ranked<R>[] | null;
  /** For paths that end here or go on. */
  rest: Ranked<R>[] | null;
}

/** A search under way: its request, the best entry so far, and the work done. */
export interface Search<R> {
  readonly facts: RequestFacts;
  readonly path: string;
  best: Ranked<R> | null;
  examined: number;
}

/** A node whose first entry will have this rank. */
export function newNode<R>(rank: number): TrieNode<R> {
  return { rank, literals: null, param: null, ends: null, rest: null };
}

/** Files an entry. Entries must arrive in the order of their ranks. */
export function insert<R>(root: TrieNode<R>, ranked: Ranked<R>, path: PrefixPath | PatternPath | RegexPath): void {
  const { steps, open } = placeOf(path);
  let node = root;
  for (const step of steps) {
    node = step === null ? paramChild(node, ranked.rank) : literalChild(node, step, ranked.rank);
  }
  if (open) {
    node.rest ??= [];
    node.rest.push(ranked);
  } else {
    node.ends ??= [];
    node.ends.push(ranked);
  }
}

/** The way to an entry's node (null is a parameter), and whether the path may go on from there. */
function placeOf(path: PrefixPath | PatternPath | RegexPath): { steps: readonly (string | null)[]; open: boolean } {
  switch (path.kind) {
    case "prefix":
      return { steps: segmentsOf(path.path), open: true };
    case "regex":
      return { steps: mandatorySegments(path.source), open: true };
    case "pattern": {
      const open = path.segments.at(-1)?.kind === "rest";
      const segments = open ? path.segments.slice(0, -1) : path.segments;
      return { steps: segments.map((segment) => (segment.kind === "literal" ? segment.text : null)), open };
    }
  }
}

function paramChild<R>(node: TrieNode<R>, rank: number): TrieNode<R> {
  node.param ??= newNode(rank);
  return node.param;
}

function literalChild<R>(node: TrieNode<R>, text: string, rank: number): TrieNode<R> {
  node.literals ??= new Map();
  let child = node.literals.get(text);
  if (child === undefined) {
    child = newNode(rank);
    node.literals.set(text, child);
  }
  return child;
}

/**
 * Leaves the best entry at this node or below in `search.best`. `start` is where the next segment begins; beyond the
 * path's length there is none. The deepest nodes come first: they tend to hold the best entries, which spares the rest.
 */
export function walk<R>(node: TrieNode<R>, start: number, search: Search<R>): void {
  search.examined += 1;
  if (start > search.path.length) {
    pickFrom(node.ends, search);
  } else {
    const slash = search.path.indexOf("/", start);
    const end = slash === -1 ? search.path.length : slash;
    const segment = search.path.slice(start, end);
    const literal = node.literals?.get(segment);
    if (literal && mayImprove(literal.rank, search)) walk(literal, end + 1, search);
    if (node.param && segment !== "" && mayImprove(node.param.rank, search)) walk(node.param, end + 1, search);
  }
  pickFrom(node.rest, search);
}

/** Makes the first entry of a list by rank whose conditions are met the best, unless a better one is known. */
export function pickFrom<R>(list: readonly Ranked<R>[] | null | undefined, search: Search<R>): void {
  if (!list) return;
  for (const ranked of list) {
    if (!mayImprove(ranked.rank, search)) return;
    search.examined += 1;
    if (meetsConditions(ranked.entry, search.facts, search.path)) {
      search.best = ranked;
      return;
    }
  }
}

function mayImprove<R>(rank: number, search: Search<R>): boolean {
  return search.best === null || rank < search.best.rank;
}
