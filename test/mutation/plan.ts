/** What is mutated together, and which test files reach it. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { instrument, type Mutant } from "./instrument.ts";

/** Of one room: what a worker needs to make the same mutants. */
export interface Plan {
  /** Of the project, ends with a slash. */
  readonly root: string;
  /** The number of the first mutant of each file. */
  readonly firstIds: Readonly<Record<string, number>>;
  /** Test files that import any of those. */
  readonly tests: readonly string[];
  /** Tests that take more processor time than this are not asked about mutants. */
  readonly slowMs: number;
}

export interface Planned {
  readonly plan: Plan;
  readonly mutants: readonly Mutant[];
}

/** Mutants of `files` and the tests among `tests` that reach one of them; paths are from `root`. */
export function planOf(root: string, files: readonly string[], tests: readonly string[], slowMs: number): Planned {
  const mutants: Mutant[] = [];
  const firstIds: Record<string, number> = {};
  for (const file of files) {
    firstIds[file] = mutants.length + 1;
    mutants.push(...instrument(file, readFileSync(join(root, file), "utf8"), mutants.length + 1, false).mutants);
  }
  const reached = tests.filter((test) => [...reachedFrom(root, test)].some((file) => file in firstIds));
  return { plan: { root, firstIds, tests: reached, slowMs }, mutants };
}

const known = new Map<string, ReadonlySet<string>>();

/** The files that a file imports, and what those import; itself too. */
export function reachedFrom(root: string, file: string): ReadonlySet<string> {
  const ready = known.get(root + file);
  if (ready !== undefined) return ready;
  const reached = new Set([file]);
  for (const at of reached) {
    const text = readFileSync(join(root, at), "utf8");
    for (const [, path] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      const target = join(dirname(at), path!);
      if (existsSync(join(root, target))) reached.add(target);
    }
  }
  known.set(root + file, reached);
  return reached;
}

/** Test files of the core. Those that replace modules themselves cannot be run here; they test the tests. */
export function testsOf(root: string): string[] {
  return globSync("test/unit/core/**/*.test.ts", { cwd: root })
    .filter((file) => !/mutants\.test\.ts$/.test(file))
    .sort();
}

/** Files under `under`, by room: the folder below `src/core`, or `src/core` for its own files. */
export function roomsOf(root: string, under: string): Map<string, string[]> {
  const files = globSync(["src/core/*.ts", "src/core/**/*.ts"], { cwd: root }).sort();
  const chosen = [...new Set(files)].filter((file) => file.startsWith(under) && !file.endsWith(".d.ts"));
  return Map.groupBy(chosen, (file) => file.split("/").slice(2, -1)[0] ?? "core");
}
