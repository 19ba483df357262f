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
  const writer = new Writer(file, source, firstId, isRecording);
  const code = writer.render(parseModule(source), undefined, "");
  return { mutants: writer.mutants, code: `const $m=globalThis.$mutation;${code}` };
}

/** A change and the number under which it is switched on. */
type Switch = readonly [id: number, change: string];

class Writer {
  readonly mutants: Mutant[] = [];
  readonly #file: string;
  readonly #source: string;
  readonly #firstId: number;
  readonly #isRecording: boolean;

  constructor(file: string, source: string, firstId: number, isRecording: boolean) {
    this.#file = file;
    this.#source = source;
    this.#firstId = firstId;
    this.#isRecording = isRecording;
  }

  /** The text of a node, which is in the function `within`, with all its mutants. */
  render(node: Node, parent: Node | undefined, within: string): string {
    const here = nameOf(node, parent, this.#source) ?? within;
    const switches = isFixed(node, parent) ? [] : this.#switchesOf(node, parent, here);
    const plain = isLeftOut(node, parent) ? this.#leftOut(node, here) : this.#inside(node, here, node.start);
    const text = withTick(node, parent, plain);
    if (switches.length === 0) return text;
    return switches.reduceRight((rest, [id, change]) => `(${this.#test(id)}?(${change}):${rest})`, `(${text})`);
  }

  /** The node's text from `at` on with its parts rendered. */
  #inside(node: Node, within: string, at: number): string {
    let text = "";
    for (const child of childrenOf(node)) {
      if (child.start < at) continue;
      text += this.#source.slice(at, child.start) + this.render(child, node, within);
      at = child.end;
    }
    return text + this.#source.slice(at, node.end);
  }

  /** Statements behind a switch. */
  #leftOut(node: Node, within: string): string {
    if (node.type === "BlockStatement") {
      const id = this.#add(node, "{}", within, this.#textOf(node));
      return `{if(!(${this.#test(id)}))${this.#inside(node, within, node.start)}}`;
    }
    const { test } = node as { test?: Node | null };
    const label = test ? `case ${this.render(test, node, within)}:` : "default:";
    const begin = this.#source.indexOf(":", test?.end ?? node.start) + 1;
    const id = this.#add(node, `${this.#source.slice(node.start, begin)} (nothing)`, within, this.#textOf(node));
    return `${label}if(!(${this.#test(id)})){${this.#inside(node, within, begin)}}`;
  }

  #switchesOf(node: Node, parent: Node | undefined, within: string): Switch[] {
    const text = this.#textOf(node);
    const changes = changesOf(node, parent, this.#source);
    const links = chain.test(node.type) ? this.#linksOf(node, within) : [];
    return [...links, ...changes.map((change): Switch => [this.#add(node, change, within, text), change])];
  }

  /** Every `?.` of a chain without its question mark, at the chain's end. */
  #linksOf(node: Node, within: string): Switch[] {
    const switches: Switch[] = [];
    const text = this.#textOf(node);
    for (let link = node; /(Member|Call)Expression$/.test(link.type); link = (link.object ?? link.callee) as Node) {
      if (link.optional !== true) continue;
      const base = (link.object ?? link.callee) as Node;
      const at = this.#source.indexOf("?.", base.end) - node.start;
      const isPlain = link.type === "OptionalMemberExpression" && link.computed !== true;
      const change = text.slice(0, at) + (isPlain ? "." : "") + text.slice(at + 2);
      switches.push([this.#add(link, change, within, text), change]);
    }
    return switches;
  }

  #add(node: Node, to: string, within: string, replaced: string): number {
    const id = this.#firstId + this.mutants.length;
    const line = this.#source.slice(0, node.start).split("\n").length;
    this.mutants.push({ id, file: this.#file, line, in: within, from: oneLine(replaced), to: oneLine(to) });
    return id;
  }

  #test(id: number): string {
    return this.#isRecording ? `$m.hit(${id})` : `$m.active===${id}`;
  }

  #textOf({ start, end }: Node): string {
    return this.#source.slice(start, end);
  }
}

/** Loops and calls are counted, so that those without an end are seen to have none. */
function withTick(node: Node, parent: Node | undefined, text: string): string {
  if (!isRound(node, parent)) return text;
  return isResult(node, parent) ? `($m.tick(),(${text}))` : `{$m.tick();${text}}`;
}

/** No expressions. */
const statement =
  /Statement$|Declaration$|^SwitchCase$|^Program$|Property$|Pattern$|Specifier$|^VariableDeclarator$|Method$/;

/** Places where an expression of another kind would not be the same language: what is assigned to, or called. */
function isFixed(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined || statement.test(node.type)) return true;
  const isLeft = parent.left === node && /^(AssignmentExpression|For(In|Of)Statement)$/.test(parent.type);
  const isAltered = parent.type === "UpdateExpression" || parent.operator === "delete";
  const isCalled = parent.callee === node;
  const isLink = chain.test(node.type) && (chain.test(parent.type) || parent.type === "TSNonNullExpression");
  return isLeft || isAltered || isCalled || (isLink && (parent.object ?? parent.expression) === node);
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
