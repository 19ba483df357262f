/**
 * One source file as a function that can be called again and again, each time giving the module anew. ES modules exist once
 * in a process; a simulated world has several isolates and objects, each with module state, a clock and a network of its own.
 */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { compileFunction } from "node:vm";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** What a module exports, by name. */
export type Exports = Readonly<Record<string, unknown>>;

export interface Module {
  /** Paths of the project's files, and names of packages, that it imports. */
  readonly imports: readonly string[];
  /** Runs the module; `globals` in the order of `globalNames`. */
  readonly instantiate: (require: (path: string) => Exports, ...globals: unknown[]) => Exports;
}

/** What a module finds as globals instead of the process's own. */
export const globalNames = [
  "AbortController",
  "AbortSignal",
  "Date",
  "Math",
  "Response",
  "WebSocketPair",
  "WebSocketRequestResponsePair",
  "caches",
  "clearTimeout",
  "console",
  "crypto",
  "fetch",
  "scheduler",
  "setTimeout",
] as const;

const importLine =
  /^import\s+(?:([\w$]+)\s*,?\s*)?(?:\*\s+as\s+([\w$]+)\s+)?(?:\{([^}]*)\}\s*)?(?:from\s+)?"([^"]+)";/gm;
const exportFrom = /^export\s+\{([^}]*)\}\s*from\s+"([^"]+)";/gm;
const exportDeclaration = /^export\s+((?:abstract\s+)?(?:async\s+)?(?:const|function\*?|class)\s+([\w$]+))/gm;

const sources = new Map<string, string>();

/** Text of a file of the project, without types. */
export function sourceOf(path: string): string {
  let source = sources.get(path);
  if (source === undefined) {
    source = readFileSync(root + path, "utf8");
    sources.set(path, source);
  }
  return source;
}

/**
 * Compiles the text of the file `path`. Knows the forms of import and export that this project has: named, namespace and
 * default imports, exported declarations, re-exports by name. Throws when it meets another.
 */
export function compileModule(path: string, source: string): Module {
  const exported: string[] = [];
  const imports = new Set<string>();
  const resolve = (specifier: string): string => {
    const resolved = specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : specifier;
    imports.add(resolved);
    return resolved;
  };
  const code = stripTypeScriptTypes(source)
    .replace(exportFrom, (_, names: string, specifier: string) => {
      const from = JSON.stringify(resolve(specifier));
      for (const name of namesOf(names)) exported.push(`get ${name}() { return $require(${from}).${name}; }`);
      return "";
    })
    .replace(importLine, (_, single, namespace, names, specifier: string) => {
      const from = `$require(${JSON.stringify(resolve(specifier))})`;
      const parts = [single && `${single} = ${from}.default`, namespace && `${namespace} = ${from}`];
      if (names?.trim()) parts.push(`{ ${names.replaceAll(/\s+as\s+/g, ": ")} } = ${from}`);
      const declared = parts.filter(Boolean).join(", ");
      // As many lines as before, so that stacks tell the lines of the file.
      return (declared && `const ${declared.replaceAll("\n", " ")};`) + "\n".repeat((names?.match(/\n/g) ?? []).length);
    })
    .replace(exportDeclaration, (_, declaration: string, name: string) => {
      exported.push(name);
      return declaration;
    });
  if (/^(import|export)\s/m.test(code)) throw new Error(`${path} has an import or export that is not understood`);
  const body = `"use strict";${code}\nreturn { ${exported.join(", ")} };`;
  const instantiate = compileFunction(body, ["$require", ...globalNames], { filename: root + path });
  return { imports: [...imports], instantiate: instantiate as Module["instantiate"] };
}

function namesOf(list: string): string[] {
  return list
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
}
