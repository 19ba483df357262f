/** Babel's syntax tree, as far as the mutator looks into it. */
import { parse } from "@babel/parser";

/** A node: where it is in the source, and its parts by name. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [part: string]: unknown;
}

/** @throws when `source` is not TypeScript. */
export function parseModule(source: string): Node {
  return parse(source, { sourceType: "module", plugins: ["typescript"] }).program as unknown as Node;
}

/** Types are no code; these three are, with a type beside it. */
const typed = new Set(["TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression"]);

/** The parts of a node that run, in the order of the source. */
export function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (const [name, part] of Object.entries(node)) {
    // `{ a }` is one thing, written once and named twice.
    if (name.endsWith("Comments") || (name === "key" && node.shorthand === true)) continue;
    for (const each of Array.isArray(part) ? part : [part]) if (isNode(each) && isCode(each)) children.push(each);
  }
  return children.sort((a, b) => a.start - b.start);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string" && "start" in value;
}

function isCode({ type }: Node): boolean {
  return !type.startsWith("TS") || typed.has(type);
}

export function isFunction({ type }: Node): boolean {
  return type.includes("Function") || type === "ObjectMethod" || type === "ClassMethod";
}

export function isLoop({ type }: Node): boolean {
  return /^(For|ForIn|ForOf|While|DoWhile)Statement$/.test(type);
}
