/** A program under QEMU's user mode with plugin.c: what it executes, counted and not timed, so other load does not change it. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { tempDir } from "../servers/process.ts";
import { type Symbols, symbolsOf } from "./symbols.ts";

/** As QEMU names the machine. */
const machine = process.arch === "arm64" ? "aarch64" : "x86_64";

/** Packages of Debian with what is needed here, by a program of each. */
export const profileTools = { [`qemu-${machine}`]: "qemu-user", gcc: "gcc libc6-dev", nm: "binutils" };

/** Instructions by function, since the program began. */
export type Counts = ReadonlyMap<string, number>;

export interface Counting {
  /** What to put before the program's own command line. */
  readonly under: readonly string[];
  /** `pid`: of the program. */
  counts(pid: number): Counts;
}

let plugin: string | null = null;

export function newCounting(program: string): Counting {
  if (plugin === null) {
    plugin = join(tempDir(), "plugin.so");
    execFileSync("gcc", ["-shared", "-fPIC", "-O2", "-o", plugin, join(import.meta.dirname, "plugin.c")]);
  }
  const out = join(tempDir(), "counts");
  let symbols: Symbols | null = null;
  return {
    under: [`qemu-${machine}`, "-plugin", `${plugin},out=${out}`],
    counts(pid) {
      symbols ??= symbolsOf(program, readFileSync(`/proc/${pid}/maps`, "utf8"));
      return countsIn(blocksIn(out), symbols);
    },
  };
}

/** Numbers in threes: address, instructions, runs. */
function blocksIn(file: string): BigUint64Array {
  const open = openSync(file, "r");
  try {
    const head = new BigUint64Array(2);
    readSync(open, head, 0, 16, 0);
    const blocks = new BigUint64Array(Number(head[0]) * 3);
    for (let at = 0; at < blocks.byteLength; ) at += readSync(open, blocks, at, blocks.byteLength - at, 16 + at);
    return blocks;
  } finally {
    closeSync(open);
  }
}

function countsIn(blocks: BigUint64Array, symbols: Symbols): Counts {
  const counts = new Map<string, number>();
  for (let at = 0; at < blocks.length; at += 3) {
    const name = symbols.nameAt(Number(blocks[at]));
    counts.set(name, (counts.get(name) ?? 0) + Number(blocks[at + 1]! * blocks[at + 2]!));
  }
  return counts;
}
