/** YAML 1.2 with its core schema, anchors, aliases and merge keys, with the place of every part. */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  type ParsedNode,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
} from "yaml";
import { bounds } from "../../src/bounds.ts";
import { lossOfNumber } from "../../src/core/json/number.ts";
import { addMember, checkString } from "./check.ts";
import type { Parsed } from "./parse.ts";
import type { Member, ObjectPart, Part, ScalarPart } from "./part.ts";
import { type Place, placeIn, type Source } from "./place.ts";
import type { Problem } from "./problems.ts";
import { type Anchors, resolveAlias } from "./yaml-alias.ts";

/** One document of a source, which has anchors of its own. */
interface Reader extends Anchors {
  readonly source: Source;
  readonly problems: Problem[];
}

/** Aliases, merge keys, double names and numbers are looked at here, as the library does not say where they stand. */
const options = {
  version: "1.2",
  schema: "core",
  merge: false,
  uniqueKeys: false,
  stringKeys: true,
  resolveKnownTags: false,
  prettyErrors: false,
  logLevel: "silent",
} as const;

/** The documents of a YAML text, without those that have nothing in them, or what is wrong with the text. */
export function parseYaml(source: Source): Parsed {
  const problems: Problem[] = [];
  const copies = { parts: 0 };
  const documents = [...parseAllDocuments(source.text, options)].flatMap((document) => {
    const found = syntaxProblems(document, source);
    for (const problem of found) problems.push(problem);
    const { contents } = document;
    if (found.length > 0 || contents === null || isEmpty(contents)) return [];
    return [build(contents, 1, { source, problems, anchors: new Map(), copies })];
  });
  return { documents, problems };
}

/** The library's errors, and its warnings, which are of tags that mean nothing here. */
function syntaxProblems({ errors, warnings, directives }: Document.Parsed, source: Source): Problem[] {
  const at = (pos: readonly [number, number]) => placeIn(source, ...pos);
  if (directives.yaml.version === "1.1") {
    return [{ detail: "YAML 1.1 is not read, since values mean something else there", at: at([0, 1]) }];
  }
  // The library's stack is at its end once for every level.
  const deep = errors.find(({ code }) => code === "RESOURCE_EXHAUSTION");
  if (deep) return [{ detail: tooDeep, at: at(deep.pos) }];
  return [...errors, ...warnings].map(({ message, pos }) => ({ detail: `not YAML 1.2: ${message}`, at: at(pos) }));
}

const tooDeep = `nested more than ${bounds.jsonDepthMax} deep`;

/** Nothing between two `---`, or only a comment. */
function isEmpty(node: ParsedNode): boolean {
  return isScalar(node) && node.value === null && node.range[0] === node.range[1];
}

/** `depth` counts containers, this one included if it is one. */
function build(node: ParsedNode, depth: number, reader: Reader): Part {
  const at = placeIn(reader.source, node.range[0], node.range[1]);
  if (isAlias(node)) {
    const part = resolveAlias(node.source, at, depth, reader);
    return typeof part === "string" ? refused(part, at, reader) : part;
  }
  if (node.tag === "!") reader.problems.push({ detail: "the tag ! is not known", at });
  // Anchors are met in the order of the text, so an alias means the last one before it, as it should.
  if (node.anchor !== undefined) reader.anchors.set(node.anchor, null);
  const part = buildHere(node, at, depth, reader);
  if (node.anchor !== undefined) reader.anchors.set(node.anchor, part);
  return part;
}

function buildHere(node: Exclude<ParsedNode, Alias.Parsed>, at: Place, depth: number, reader: Reader): Part {
  if (isScalar(node)) return { kind: "scalar", value: scalarOf(node, at, reader.problems), at };
  if (depth > bounds.jsonDepthMax) return refused(tooDeep, at, reader);
  if (isMap(node)) return buildObject(node, at, depth, reader);
  return { kind: "list", items: node.items.map((item) => build(item, depth + 1, reader)), at };
}

/** Notes the problem; an empty object takes the place, of which nothing more will be said. */
function refused(detail: string, at: Place, { problems }: Reader): Part {
  problems.push({ detail, at });
  return { kind: "object", members: new Map(), at };
}

function scalarOf({ value, source }: Scalar.Parsed, at: Place, problems: Problem[]): ScalarPart["value"] {
  if (typeof value === "string") checkString(value, at, problems);
  if (typeof value === "number") {
    const isOfJson = Number.isFinite(value);
    const loss = isOfJson ? lossOfNumber(asJson(source)) : "the number is too large, or none that JSON has";
    if (loss !== null) problems.push({ detail: loss, at });
  }
  return value as ScalarPart["value"];
}

/** A finite number of the core schema in decimal digits and without a plus before it. */
const asJson = (source: string) => (/^0[ox]/.test(source) ? String(BigInt(source)) : source.replace("+", ""));

function buildObject(node: YAMLMap.Parsed, at: Place, depth: number, reader: Reader): ObjectPart {
  const members = new Map<string, Member>();
  const merged: ObjectPart[][] = [];
  for (const { key, value } of node.items) {
    // With `stringKeys` every key is a scalar that is a string.
    const name = build(key, depth, reader) as ScalarPart;
    const part = value === null ? { ...name, value: null } : build(value, depth + 1, reader);
    if (isScalar(key) && key.type === "PLAIN" && name.value === "<<") merged.push(mergedObjects(part, reader));
    else addMember(members, String(name.value), { key: name.at, value: part }, reader.problems);
  }
  // What the object says itself wins over what is merged, and of that the first.
  for (const [name, member] of merged.flat().flatMap((object) => [...object.members])) {
    if (!members.has(name)) members.set(name, member);
  }
  return { kind: "object", members, at };
}

function mergedObjects(part: Part, { problems }: Reader): ObjectPart[] {
  const items = part.kind === "list" ? part.items : [part];
  const objects = items.filter((item) => item.kind === "object");
  const detail = "<< merges an object, or a list of objects";
  if (objects.length < items.length) problems.push({ detail, at: part.at });
  return objects;
}
