/**
 * What a mutant changes: the default set of Stryker (https://stryker-mutator.io/docs/mutation-testing-elements/supported-mutators),
 * of its regular expressions only anchors, quantifiers and character classes.
 */
import { isFunction, isLoop, type Node } from "./syntax.ts";

/** The text that stands in place of a node. Empty for statements: they are left out. */
export type Change = string;

const swapped: Readonly<Record<string, readonly string[]>> = {
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
  "&": ["|"],
  "|": ["&"],
  "<<": [">>"],
  ">>": ["<<"],
  ">>>": ["<<"],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
  "+=": ["-="],
  "-=": ["+="],
  "*=": ["/="],
  "/=": ["*="],
  "%=": ["*="],
  "&=": ["|="],
  "|=": ["&="],
  "<<=": [">>="],
  ">>=": ["<<="],
  "&&=": ["||="],
  "||=": ["&&="],
  "??=": ["&&="],
};
const truths = new Set(["<", "<=", ">", ">=", "===", "!==", "&&", "||"]);
const renamed: Readonly<Record<string, string>> = {
  min: "max",
  max: "min",
  some: "every",
  every: "some",
  startsWith: "endsWith",
  endsWith: "startsWith",
  trimStart: "trimEnd",
  trimEnd: "trimStart",
  toUpperCase: "toLowerCase",
  toLowerCase: "toUpperCase",
};
const leftOut = new Set(["trim", "slice", "substring", "sort", "reverse", "filter", "charAt"]);
const unsigned: Readonly<Record<string, string>> = { "!": "", "~": "", "-": "+", "+": "-" };

/** Every way in which `node`, a part of `parent`, is changed; each once. */
export function changesOf(node: Node, parent: Node | undefined, source: string): Change[] {
  const text = (part: unknown) => source.slice((part as Node).start, (part as Node).end);
  const result = isResult(node, parent) && text(node) !== "undefined" ? ["undefined"] : [];
  return [...new Set([...ofCondition(node, parent), ...ofExpression(node, parent, text), ...result])];
}

function ofCondition(node: Node, parent: Node | undefined): Change[] {
  if (parent !== undefined && parent.test === node && isLoop(parent)) return ["false"];
  const isTest = parent?.test === node && /^(If|Conditional)/.test(parent.type);
  return isTest || truths.has(node.operator as string) ? ["true", "false"] : [];
}

function ofExpression(node: Node, parent: Node | undefined, text: (part: unknown) => string): Change[] {
  const { operator } = node as { operator?: string };
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
      if (operator === "+" && (isText(node.left) || isText(node.right))) return [];
      return (swapped[operator!] ?? []).map((other) => `(${text(node.left)}) ${other} (${text(node.right)})`);
    case "AssignmentExpression":
      return (swapped[operator!] ?? []).map((other) => `${text(node.left)} ${other} ${text(node.right)}`);
    case "UpdateExpression": {
      const other = operator === "++" ? "--" : "++";
      return [node.prefix ? other + text(node.argument) : text(node.argument) + other];
    }
    case "UnaryExpression":
      return operator! in unsigned ? [`${unsigned[operator!]}${text(node.argument)}`] : [];
    case "BooleanLiteral":
      return [String(!node.value)];
    case "StringLiteral":
      return isName(node, parent!) ? [] : [node.value === "" ? '"mutated"' : '""'];
    case "TemplateLiteral":
      return parent?.type === "TaggedTemplateExpression" || text(node) === "``" ? [] : ["``"];
    case "RegExpLiteral":
      return expressionsOf(node.pattern as string).map((pattern) => `/${pattern}/${node.flags}`);
    case "ArrayExpression":
      return [(node.elements as unknown[]).length === 0 ? '["mutated"]' : "[]"];
    case "NewExpression":
      return text(node.callee) === "Array" && (node.arguments as unknown[]).length > 0 ? ["new Array()"] : [];
    case "ObjectExpression":
      return (node.properties as unknown[]).length === 0 ? [] : ["{}"];
    case "CallExpression":
    case "OptionalCallExpression":
      return ofCall(node, text);
    default:
      return [];
  }
}

/** `a.min(b)` becomes `a.max(b)`, `a.trim()` becomes `a`. */
function ofCall(node: Node, text: (part: unknown) => string): Change[] {
  const callee = node.callee as Node;
  if (!/MemberExpression$/.test(callee.type) || callee.computed === true) return [];
  const [object, name] = [text(callee.object), text(callee.property)];
  const dot = callee.optional === true ? "?." : ".";
  const changes: Change[] = [];
  const rest = text(node).slice(text(callee).length);
  if (Object.hasOwn(renamed, name)) changes.push(`${object}${dot}${renamed[name]}${rest}`);
  if (leftOut.has(name)) changes.push(object);
  return changes;
}

/** What an arrow function gives. */
export function isResult(node: Node, parent: Node | undefined): boolean {
  return parent?.type === "ArrowFunctionExpression" && parent.body === node && node.type !== "BlockStatement";
}

/** A block with something in it, or what a `case` does: left out. */
export function isLeftOut(node: Node, parent: Node | undefined): boolean {
  if (node.type === "SwitchCase") return (node.consequent as unknown[]).length > 0;
  if (node.type !== "BlockStatement" || (node.body as unknown[]).length === 0) return false;
  if (parent?.type === "SwitchCase" && (parent.consequent as unknown[]).length === 1) return false;
  return !(parent?.type === "ClassMethod" && parent.kind === "constructor");
}

function isText(node: unknown): boolean {
  return /^(StringLiteral|TemplateLiteral)$/.test((node as Node).type);
}

/** A text that names a thing of the language: what is imported, or a property. */
function isName(node: Node, parent: Node): boolean {
  if (/^(Import|Export)/.test(parent.type)) return true;
  return parent.key === node && parent.computed !== true;
}

/** Without an anchor, without a quantifier, a class turned round: one change each. */
function expressionsOf(pattern: string): string[] {
  const changes: string[] = [];
  const replace = (at: number, length: number, by: string) =>
    changes.push(pattern.slice(0, at) + by + pattern.slice(at + length));
  let isInSet = false;
  for (let at = 0; at < pattern.length; at++) {
    const sign = pattern[at]!;
    if (sign === "\\") {
      const letter = pattern[++at]!;
      if (/[dDwWsS]/.test(letter))
        replace(at, 1, letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase());
    } else if (isInSet) {
      if (sign === "]") isInSet = false;
    } else if (sign === "[") {
      isInSet = true;
      if (pattern[at + 1] === "^") replace(at + 1, 1, "");
      else replace(at + 1, 0, "^");
    } else if (sign === "^" || sign === "$") replace(at, 1, "");
    else if (/[+*?]/.test(sign) && !/[(+*?}]/.test(pattern[at - 1]!)) replace(at, 1, "");
  }
  return changes;
}

/** Whether control that goes round and round passes here. */
export function isRound(node: Node, parent: Node | undefined): boolean {
  return parent !== undefined && parent.body === node && (isLoop(parent) || isFunction(parent));
}
