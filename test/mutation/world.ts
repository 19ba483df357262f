/** The tests of one room and what they test, in this process: its mutants switched on and off, or recorded. */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import fc from "fast-check";
import { instrument } from "./instrument.ts";
import type { Plan } from "./plan.ts";
import { type Declared, takeDeclared } from "./vitest.ts";

/** What the instrumented modules see as `$mutation`. */
interface Switch {
  /** The mutant that is on; 0: none. */
  active: number;
  /** Notes that a mutant is passed; it stays off. */
  hit(id: number): false;
  /** One turn of a loop or one call. @throws Endless after `ticksMax` of them. */
  tick(): void;
}

/** A mutant goes round for ever. */
export class Endless extends Error {}

let ticks = 0;
let ticksMax = Number.POSITIVE_INFINITY;
let hits = new Set<number>();

export const mutation: Switch = {
  active: 0,
  hit(id) {
    hits.add(id);
    return false;
  },
  tick() {
    if (++ticks > ticksMax) throw new Endless(`more than ${ticksMax} turns`);
  },
};
Object.assign(globalThis, { $mutation: mutation });

/** What one run of a test came to. */
export interface Outcome {
  readonly isPassed: boolean;
  readonly isEndless: boolean;
  readonly ticks: number;
  readonly cpuMs: number;
  readonly hits: readonly number[];
}

/** Runs one test with whatever mutant is on. More than `ticksAllowed` turns are a failure. */
export async function runTest(test: Declared, ticksAllowed = Number.POSITIVE_INFINITY): Promise<Outcome> {
  [ticks, ticksMax, hits] = [0, ticksAllowed, new Set()];
  const began = process.cpuUsage();
  let isPassed = true;
  try {
    await test.run();
  } catch {
    isPassed = false;
  }
  const { user, system } = process.cpuUsage(began);
  const isEndless = ticks > ticksAllowed;
  ticksMax = Number.POSITIVE_INFINITY;
  return { isPassed: isPassed && !isEndless, isEndless, ticks, cpuMs: (user + system) / 1_000, hits: [...hits] };
}

/** What was passed since the last call or the last test. */
export function takeHits(): number[] {
  const taken = [...hits];
  hits = new Set();
  return taken;
}

/** Tests of a file, from the root of the project. `copy` > 0: of it and of all it imports anew. @throws what the file throws. */
export async function load(root: string, file: string, copy: number, ticksAllowed: number): Promise<Declared[]> {
  takeDeclared();
  [ticks, ticksMax] = [0, ticksAllowed];
  try {
    await import(`${pathToFileURL(root + file)}${copy > 0 ? `?copy=${copy}` : ""}`);
  } finally {
    ticksMax = Number.POSITIVE_INFINITY;
  }
  return takeDeclared();
}

/** From now on `import` gives instrumented modules for the files of the plan, and our `describe` and `test`. */
export function hook(plan: Plan, isRecording: boolean): void {
  // A failure is enough; the smallest one is not needed.
  fc.configureGlobal({ endOnFailure: true, seed: 1 });
  const shim = new URL("./vitest.ts", import.meta.url).href;
  const root = pathToFileURL(plan.root).href;
  const codes = new Map<string, string>();
  const codeOf = (url: string): string => {
    const file = url.slice(root.length);
    const source = readFileSync(fileURLToPath(url), "utf8");
    const firstId = plan.firstIds[file];
    return stripTypeScriptTypes(firstId === undefined ? source : instrument(file, source, firstId, isRecording).code);
  };
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "vitest") return { url: shim, format: "module-typescript", shortCircuit: true };
      const resolved = next(specifier, context);
      const copy = context.parentURL?.split("?copy=")[1];
      const isOurs = resolved.url.startsWith(root) && !resolved.url.includes("/node_modules/");
      return copy !== undefined && isOurs && !resolved.url.includes("?")
        ? { ...resolved, url: `${resolved.url}?copy=${copy}` }
        : resolved;
    },
    load(url, context, next) {
      const plain = url.split("?")[0]!;
      if (!plain.startsWith(root) || plain.includes("/node_modules/") || !plain.endsWith(".ts") || plain === shim)
        return next(url, context);
      if (!codes.has(plain)) codes.set(plain, codeOf(plain));
      return { format: "module", source: codes.get(plain)!, shortCircuit: true };
    },
  });
}
