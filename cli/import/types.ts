/** What an importer gives: a document of ours, and what it could not say in it. */
import type { z } from "zod";
import type { Config } from "../../src/schema/config.ts";

/** The document as a person writes it: what has a default may be left out. */
export type Document = z.input<typeof Config>;
export type Route = NonNullable<Document["routes"]>[number];
export type Service = NonNullable<Document["services"]>[string];
export type Match = NonNullable<Route["matches"]>[number];
export type RateLimit = NonNullable<Document["rateLimits"]>[string];

/** A place in the original: which document (from 0), and the member names and indexes from its root. */
export interface Place {
  readonly document: number;
  readonly path: readonly (string | number)[];
}

/** Something of the original that is not said exactly by the result. It covers everything at and below its place. */
export interface Note {
  readonly source: Place;
  /** What it is, in a few words. */
  readonly what: string;
  /** `approximated`: the result does something near to it. `not supported`: the result has nothing of it. */
  readonly why: "not supported" | "approximated";
  /** What follows, or what a person can do. */
  readonly hint: string;
}

/** `config` compiles unless a note says what to mend first; nothing of the original is in neither of the two. */
export interface Imported {
  readonly config: Document;
  readonly notes: readonly Note[];
}
