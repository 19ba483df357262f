import fc from "fast-check";
import { parse } from "../../../../cli/files/parse.ts";
import type { Part } from "../../../../cli/files/part.ts";
import { placeIn, type Source } from "../../../../cli/files/place.ts";
import { find } from "../../../../cli/files/pointer.ts";
import { type Problem, reportOf } from "../../../../cli/files/problems.ts";
import type { JsonValue } from "../../../../src/core/json/types.ts";

/** The only document of a text that has nothing wrong. */
export function parsed(text: string, name = "a.yaml"): Part {
  const { documents, problems } = parse({ name, text });
  if (problems.length > 0 || documents.length !== 1) throw new Error(`not one document: ${said(problems)}`);
  return documents[0]!;
}

/** The document of a JSON value, as if it stood in a file. */
export function partOf(value: JsonValue, name = "a.json"): Part {
  return parsed(JSON.stringify(value, null, 2), name);
}

/** Problems as `file:line:column detail @path`. */
export function said(problems: readonly Problem[]): string[] {
  return problems.map((problem) => {
    const { file, line, column, detail, path } = reportOf(problem);
    return `${file}:${line}:${column} ${detail}${path === null ? "" : ` @${path}`}`;
  });
}

/** The text that stands at a pointer. */
export function textAt(root: Part, pointer: string): string {
  const { source, start, end } = find(root, pointer).part.at;
  return source.text.slice(start, end);
}

/** Every pointer into a value, its own included. */
export function pointersOf(value: JsonValue, pointer = ""): string[] {
  const children = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [
    pointer,
    ...children.flatMap(([name, child]) =>
      pointersOf(child as JsonValue, `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`),
    ),
  ];
}

/** The value at a pointer that is right. */
export function valueAt(value: JsonValue, pointer: string): JsonValue {
  const steps = pointer.split("/").slice(1);
  return steps.reduce(
    (at, step) => (at as Record<string, JsonValue>)[step.replaceAll("~1", "/").replaceAll("~0", "~")]!,
    value,
  );
}

/** A source of no text, for what needs any place. */
export function nowhere(name = "none") {
  const source: Source = { name, text: "" };
  return placeIn(source, 0, 0);
}

const names = fc
  .oneof(
    fc.constantFrom("a", "b", "name", "id", "~/", "", "<<", "10", "9", "constructor", "true"),
    fc.string({ unit: "grapheme", maxLength: 4 }),
  )
  .filter((name) => name !== "__proto__");

/** JSON values with awkward names and strings. */
export const jsonValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<JsonValue>(
      null,
      true,
      false,
      0,
      1.5,
      -2e30,
      "",
      "null",
      "0x1",
      "- a",
      "a: b",
      "#",
      "\n",
      "\u007f\u2028",
    ),
    fc.string({ unit: "grapheme", maxLength: 8 }),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(names, tie("value"), { maxKeys: 4 }),
  ),
})).value;
