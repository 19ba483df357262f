/** One module with all its mutants in it, each behind a switch. */
import { changesOf, isLeftOut, isResult, isRound } from "./operators.ts";
import { childrenOf, isFunction, type Node, parseModule } from "./syntax.ts";

/** One change of one place. */
export interface Mutant {
  readonly id: number;
  /** Path from the root of the project. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The function it is in, or "" outside of any. */
  readonly in: string;
  /** As it is and as it becomes, blanks made one. */
  readonly from: string;
  readonly to: string;
}

export interface Instrumented {
  readonly mutants: readonly Mutant[];
  /** TypeScript still. */
  readonly code: string;
}

/** Parts of an optional chain end together: a change of one is written as a change of the whole. */
const chain = /^Optional(Member|Call)Expression$/;

/** Mutants are numbered from `firstId`, in the order of the source. `isRecording`: the code says which it passes. */
export function instrument(file: string, source: string, firstId: number, isRecording: boolean): Instrumented {
  const mutants: Mutant[] = [];
  const test = (id: number) => (isRecording ? `$m.hit(${id})` : `$m.active===${id}`);

  const add = (node: Node, to: string, within: string, replaced: string): number => {
    const id = firstId + mutants.length;
    const line = source.slice(0, node.start).split("\n").length;
    mutants.push({ id, file, line, in: within, from: oneLine(replaced), to: oneLine(to) });
    return id;
  };

  const render = (node: Node, parent: Node | undefined, within: string): string => {
    const here = nameOf(node, parent, source) ?? within;
    const own = isFixed(node, parent) ? [] : switchesOf(node, parent, here);
    const text = withTick(
      node,
      parent,
      isLeftOut(node, parent) ? withoutStatements(node, here) : inside(node, here, node.start),
    );
    return own.reduceRight(
      (rest, [id, change]) => `(${test(id)}?(${change}):${rest})`,
      own.length > 0 ? `(${text})` : text,
    );
  };

  /** The node's text from `at` on with its parts rendered. */
  const inside = (node: Node, within: string, at: number): string => {
    let text = "";
    for (const child of childrenOf(node)) {
      if (child.start < at) continue;
      text += source.slice(at, child.start) + render(child, node, within);
      at = child.end;
    }
    return text + source.slice(at, node.end);
  };

  const withoutStatements = (node: Node, within: string): string => {
    const text = source.slice(node.start, node.end);
    if (node.type === "BlockStatement")
      return `{if(!(${test(add(node, "{}", within, text))}))${inside(node, within, node.start)}}`;
    const { test: value } = node as { test?: Node | null };
    const label = value ? `case ${render(value, node, within)}:` : "default:";
    const begin = source.indexOf(":", value?.end ?? node.start) + 1;
    const id = add(node, `${source.slice(node.start, begin)} (nothing)`, within, text);
    return `${label}if(!(${test(id)})){${inside(node, within, begin)}}`;
  };

  const switchesOf = (node: Node, parent: Node | undefined, within: string): [number, string][] => {
    if (chain.test(node.type)) return chainOf(node, parent, within);
    const text = source.slice(node.start, node.end);
    return changesOf(node, parent, source).map((change) => [add(node, change, within, text), change]);
  };

  /** Every `?.` of a chain without its question mark, at the chain's end. */
  const chainOf = (node: Node, parent: Node | undefined, within: string): [number, string][] => {
    const switches: [number, string][] = [];
    const text = source.slice(node.start, node.end);
    for (let link = node; /(Member|Call)Expression$/.test(link.type); link = (link.object ?? link.callee) as Node) {
      const base = (link.object ?? link.callee) as Node;
      if (link.optional === true) {
        const at = source.indexOf("?.", base.end) - node.start;
        const isPlain = link.type === "OptionalMemberExpression" && link.computed !== true;
        const change = text.slice(0, at) + (isPlain ? "." : "") + text.slice(at + 2);
        switches.push([add(link, change, within, text), change]);
      }
    }
    for (const change of changesOf(node, parent, source)) switches.push([add(node, change, within, text), change]);
    return switches;
  };

  const program = parseModule(source);
  const code = `const $m=globalThis.$mutation;${render(program, undefined, "")}`;
  return { mutants, code };
}

/** Loops and calls are counted, so that those without an end are seen to have none. */
function withTick(node: Node, parent: Node | undefined, text: string): string {
  if (!isRound(node, parent)) return text;
  return isResult(node, parent) ? `($m.tick(),(${text}))` : `{$m.tick();${text}}`;
}

/** Places where an expression of another kind would not be the same language. */
function isFixed(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined) return true;
  if (
    /Statement$|Declaration$|^SwitchCase$|^Program$|Property$|Pattern$|Specifier$|^VariableDeclarator$|Method$/.test(
      node.type,
    )
  )
    return true;
  if (parent.type === "AssignmentExpression" || /^For(In|Of)Statement$/.test(parent.type))
    if (parent.left === node) return true;
  if (parent.type === "UpdateExpression" || (parent.type === "UnaryExpression" && parent.operator === "delete"))
    return true;
  if (/Call(Expression)?$|CallExpression$|^NewExpression$/.test(parent.type) && parent.callee === node) return true;
  if (chain.test(parent.type) && chain.test(node.type) && (parent.object === node || parent.callee === node))
    return true;
  return parent.type === "TSNonNullExpression" && chain.test(node.type);
}

/** Of a function: what it is called where it is made. */
function nameOf(node: Node, parent: Node | undefined, source: string): string | undefined {
  if (!isFunction(node)) return undefined;
  const name = (node.id ?? node.key ?? parent?.id ?? parent?.key) as Node | undefined | null;
  return name ? source.slice(name.start, name.end).split(":")[0]! : undefined;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
