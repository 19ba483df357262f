/** Functions by their addresses in a process. */
import { execFileSync } from "node:child_process";

export interface Symbols {
  /** Demangled name of the function; of code that belongs to no file `compiled JavaScript`, of another library its file. */
  nameAt(address: number): string;
}

/** `maps`: `/proc/<pid>/maps` of a process that runs `program`, which must not be stripped. */
export function symbolsOf(program: string, maps: string): Symbols {
  const files = maps.split("\n").flatMap(rangeIn);
  const own = files.filter(({ file }) => file.endsWith("/workerd"));
  const begin = own[0]?.begin;
  if (begin === undefined) throw new Error(`${program} is not in the process`);
  const functions = functionsOf(program);
  return {
    nameAt(address) {
      const range = files.find((each) => address >= each.begin && address < each.end);
      // What the runtime compiles has no file behind it.
      if (range === undefined || range.file === "") return "compiled JavaScript";
      return own.includes(range) ? nameBefore(functions, address - begin) : range.file;
    },
  };
}

interface Range {
  readonly begin: number;
  readonly end: number;
  readonly file: string;
}

function rangeIn(line: string): Range[] {
  const found = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+\s*(.*)$/.exec(line);
  if (found === null) return [];
  return [{ begin: Number.parseInt(found[1]!, 16), end: Number.parseInt(found[2]!, 16), file: found[3]! }];
}

interface Named {
  readonly offset: number;
  readonly name: string;
}

/** In order of their offsets. */
function functionsOf(program: string): readonly Named[] {
  const text = execFileSync("nm", ["--demangle", "--numeric-sort", "--defined-only", program], {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  return text.split("\n").flatMap((line) => {
    const found = /^([0-9a-f]+) [tTwWiV] (.*)$/.exec(line);
    return found === null ? [] : [{ offset: Number.parseInt(found[1]!, 16), name: found[2]! }];
  });
}

function nameBefore(functions: readonly Named[], offset: number): string {
  let [low, high] = [0, functions.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (functions[middle]!.offset <= offset) low = middle;
    else high = middle - 1;
  }
  return functions[low]?.name ?? "unknown";
}
