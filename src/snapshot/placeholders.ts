/**
 * `${VAR}` in the document: a string that is nothing but a placeholder is replaced by the variable or secret of that
 * name when the document is compiled. What is stored and shown is the placeholder.
 */
import { pointerOf } from "../errors.ts";
import type { DocumentPath, Problems } from "./problems.ts";

/** Variables and secrets of the Worker, by name; what is not a string (a binding) is no variable. */
export type Variables = Readonly<Record<string, unknown>>;

/** A document without placeholders, and what to show in their places: `${VAR}` by JSON pointer. */
export interface Resolved {
  readonly document: unknown;
  readonly placeholders: ReadonlyMap<string, string>;
}

const placeholder = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

type Members = Record<string, unknown>;

/** The gateway's own tokens; a document that could read them could send them to an origin. */
const withheld: ReadonlySet<string> = new Set(["ADMIN_TOKEN", "REGISTRAR_TOKEN", "VIEWER_TOKEN"]);

/**
 * A JSON value with its placeholders replaced, in a copy of what holds one; every one that cannot be is an error. Depth is
 * already bounded.
 */
export function resolvePlaceholders(document: unknown, variables: Variables, problems: Problems): Resolved {
  const placeholders = new Map<string, string>();
  /** Of the value that is looked at; one array for all, as few of many thousand places are ever asked for. */
  const path: (string | number)[] = [];
  const resolve = (value: unknown): unknown => {
    if (typeof value === "string") {
      const name = value.startsWith("${") ? placeholder.exec(value)?.[1] : undefined;
      if (name === undefined) return value;
      placeholders.set(pointerOf(path), value);
      return variableOf(name, variables, path, problems);
    }
    if (typeof value !== "object" || value === null) return value;
    let copy: Members | null = null;
    const isList = Array.isArray(value);
    for (const key in value) {
      const member = (value as Members)[key];
      path.push(isList ? Number(key) : key);
      const resolved = resolve(member);
      path.pop();
      if (resolved === member) continue;
      copy ??= (isList ? [...value] : { ...value }) as Members;
      copy[key] = resolved;
    }
    return copy ?? value;
  };
  return { document: resolve(document), placeholders };
}

function variableOf(name: string, variables: Variables, path: DocumentPath, problems: Problems): string {
  const value = withheld.has(name) ? undefined : variables[name];
  if (typeof value === "string") return value;
  problems.error(
    path,
    withheld.has(name)
      ? `\${${name}} is a token of the gateway and cannot be used in the document`
      : `\${${name}} is not a variable or secret of this Worker`,
  );
  return "";
}
