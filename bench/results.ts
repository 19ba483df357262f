/** The results of a run: as JSON, and in the README. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cases } from "./cases.ts";
import type { Bill } from "./figures/bill.ts";
import type { Counted } from "./figures/counted.ts";
import type { Figure } from "./figures/figure.ts";
import type { Machine } from "./machine.ts";
import type { Measured } from "./rounds.ts";
import { tablesOf } from "./table.ts";

export interface Results {
  /** When the run began, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly cases: readonly (Measured & { readonly name: string; readonly what: string })[];
  readonly figures: readonly Figure[];
  readonly counted: readonly Counted[];
  readonly bills: readonly Bill[];
}

const directory = join(import.meta.dirname, "results");
const readme = join(import.meta.dirname, "README.md");
const [begin, end] = ["<!-- bench:begin -->", "<!-- bench:end -->"];

/** Writes `results/<date>-<commit>.json`; its path. */
export function saveResults(results: Results): string {
  mkdirSync(directory, { recursive: true });
  const time = results.at.slice(0, 19).replaceAll(":", "");
  const path = join(directory, `${time}-${results.machine.commit}.json`);
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
  return path;
}

/** Puts the tables of the newest full run between the markers of the README. Throws when there is none. */
export function writeReadme(): void {
  const all = readdirSync(directory)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")) as Results);
  const newest = all.findLast((results) => results.cases.length === cases.length);
  if (newest === undefined) throw new Error(`no results of a full run in ${directory}`);
  writeFileSync(readme, replaceSection(readFileSync(readme, "utf8"), tablesOf(newest)));
}

/** `text` with `section` between the markers. Throws when they are not there. */
export function replaceSection(text: string, section: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the README has no ${begin} before ${end}`);
  return `${text.slice(0, from + begin.length)}\n${section.trim()}\n${text.slice(to)}`;
}
