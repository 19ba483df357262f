/** A fault planted in the product's text. */
import type { Patch } from "../load/program.ts";
import type { PartName } from "../swarm.ts";

export interface Mutant {
  /** What is wrong with the product. */
  readonly name: string;
  /** Whose schedules find it, and within how many of the seeds from 1. */
  readonly part: PartName;
  readonly withinSeeds: number;
  /** Rules of which a breach tells of it. */
  readonly rules: readonly string[];
  readonly patches: readonly Patch[];
}

/** A patch of a module of `src/core`, of an object's, and of an isolate's. */
export const core = (room: string, file: string, from: string, to: string): Patch => ({
  path: `src/core/${room}/${file}.ts`,
  from,
  to,
});
export const object = (file: string, from: string, to: string): Patch => ({
  path: `durable-objects/${file}.ts`,
  from,
  to,
});
export const isolate = (file: string, from: string, to: string): Patch => ({ path: `src/${file}.ts`, from, to });
