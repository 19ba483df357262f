/**
 * Parses what a Zod schema accepts, at a tenth of Zod's price. An isolate compiles the document before its first request,
 * with cold code; what it reads was accepted before, so Zod's account of each member is made for nobody. Here a schema is
 * turned into one function a node, once.
 */
import * as z from "zod";

/** What a parser answers for a value that its schema refuses. Zod says why. */
export const misfit = Symbol("misfit");

/** The parsed value (the very object where no default was missing), or `misfit`. Values are JSON: nothing is undefined. */
export type QuickParser = (value: unknown) => unknown;

type Checks = z.core.$ZodCheck[] | undefined;
type Test = (value: never) => boolean;

/** What a definition may have beside its type, its checks and its messages, by kind. Anything more changes what it means. */
const known: Readonly<Record<string, readonly string[]>> = {
  string: [],
  number: [],
  boolean: [],
  enum: ["entries"],
  literal: ["values"],
  optional: ["innerType"],
  default: ["innerType", "defaultValue"],
  prefault: ["innerType", "defaultValue"],
  array: ["element"],
  union: ["options"],
  record: ["keyType", "valueType"],
  object: ["shape", "catchall"],
};
const common = ["type", "checks", "error"];

/**
 * A parser that accepts what the schema accepts, and answers the same but for the order of members: defaults come first.
 * Throws TypeError for a schema of which it cannot promise that: only what the document's schema is made of is known.
 */
export function quickParser(schema: z.core.$ZodType): QuickParser {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  let parser = parserOf(schema as z.core.$ZodTypes);
  for (const check of (def.checks as Checks) ?? []) parser = withTest(parser, testOf(check));
  return parser;
}

/** A function a test, as code that runs for the first time takes its time over a loop. */
function withTest(parser: QuickParser, test: Test): QuickParser {
  return (value) => {
    const parsed = parser(value);
    return parsed !== misfit && test(parsed as never) ? parsed : misfit;
  };
}

/** A check of a value that has the right type. */
function testOf(check: z.core.$ZodCheck): Test {
  const { def } = (check as z.core.$ZodChecks | z.core.$ZodCustom)._zod;
  switch (def.check) {
    case "min_length":
      return (value: string) => value.length >= def.minimum;
    case "max_length":
      return (value: string) => value.length <= def.maximum;
    case "greater_than":
      return (value: number) => (def.inclusive ? value >= Number(def.value) : value > Number(def.value));
    case "less_than":
      return (value: number) => (def.inclusive ? value <= Number(def.value) : value < Number(def.value));
    case "string_format": {
      const { format, pattern } = def;
      if (format === "regex" && pattern) return (value: string) => pattern.test(value);
      return format === "starts_with" ? testByZod(check) : unknown(`the format ${format}`);
    }
    case "number_format":
      return testByZod(check);
    case "custom":
      // `refine` has a function; others may change the value. With `when` it may be left out.
      return "fn" in def && def.when === undefined ? testByZod(check) : unknown("a check of that kind");
    default:
      return unknown(`the check ${def.check}`);
  }
}

function testByZod(check: z.core.$ZodCheck): Test {
  return (value) => {
    const payload: z.core.ParsePayload<never> = { value, issues: [] };
    check._zod.check(payload);
    return payload.issues.length === 0;
  };
}

function unknown(what: string): never {
  throw new TypeError(`the quick parser does not know ${what}`);
}

function parserOf(schema: z.core.$ZodTypes): QuickParser {
  const { def } = schema._zod;
  // A format is a schema and a check at once; a lazy schema may lead back to itself, and Zod keeps notes in it.
  if (def.type === "lazy" || ("format" in def && def.format === "datetime")) return byZod(schema);
  const strange = Object.keys(def).find((name) => !common.includes(name) && !known[def.type]?.includes(name));
  if (strange !== undefined) unknown(`${strange} of ${def.type}`);
  switch (def.type) {
    case "string":
      return (value) => (typeof value === "string" ? value : misfit);
    case "number":
      return (value) => (Number.isFinite(value) ? value : misfit);
    case "boolean":
      return (value) => (typeof value === "boolean" ? value : misfit);
    case "enum":
    case "literal": {
      const { values } = schema._zod;
      return (value) => (values?.has(value as never) ? value : misfit);
    }
    case "optional":
    case "default":
    case "prefault":
      return quickParser(def.innerType);
    case "array":
      return arrayParser(quickParser(def.element));
    case "union":
      return unionParser(def.options.map(quickParser));
    case "record":
      // By an enum each of its names would be required.
      if (def.keyType._zod.def.type !== "string") unknown("names of that kind");
      return recordParser(quickParser(def.keyType), quickParser(def.valueType));
    case "object":
      if (def.catchall?._zod.def.type !== "never") unknown("objects that are not strict");
      return objectParser(def.shape);
    default:
      return unknown(`the kind ${def.type}`);
  }
}

function byZod(schema: z.core.$ZodType): QuickParser {
  return (value) => {
    const { success, data } = z.safeParse(schema, value);
    return success ? data : misfit;
  };
}

function arrayParser(item: QuickParser): QuickParser {
  return (value) => {
    if (!Array.isArray(value)) return misfit;
    let copy: unknown[] | null = null;
    for (let index = 0; index < value.length; index++) {
      const parsed = item(value[index]);
      if (parsed === misfit) return misfit;
      if (parsed !== value[index]) {
        copy ??= [...value];
        copy[index] = parsed;
      }
    }
    return copy ?? value;
  };
}

function unionParser(options: readonly QuickParser[]): QuickParser {
  return (value) => {
    for (const option of options) {
      const parsed = option(value);
      if (parsed !== misfit) return parsed;
    }
    return misfit;
  };
}

type Entries = Record<string, unknown>;
const isEntries = (value: unknown): value is Entries =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function recordParser(name: QuickParser, entry: QuickParser): QuickParser {
  return (value) => {
    if (!isEntries(value)) return misfit;
    let copy: Entries | null = null;
    for (const key in value) {
      const parsed = name(key) === misfit ? misfit : entry(value[key]);
      if (parsed === misfit) return misfit;
      if (parsed !== value[key]) {
        copy ??= { ...value };
        copy[key] = parsed;
      }
    }
    return copy ?? value;
  };
}

/** What a member becomes that is not there. Zod is asked only if it is not written in the schema: its answer costs most. */
function absentOf(member: z.core.$ZodTypes, parser: QuickParser): unknown {
  const { def } = member._zod;
  if (def.type === "default") return def.defaultValue;
  const value = def.type === "prefault" ? parser(def.defaultValue) : z.parse(member, undefined);
  return value === misfit ? unknown("a default that its schema refuses") : value;
}

function objectParser(shape: z.core.$ZodShape): QuickParser {
  const members = new Map<string, { readonly parser: QuickParser; readonly isRequired: boolean }>();
  let required = 0;
  // One value for all objects that leave the member out: nobody changes a document.
  const defaults: Entries = {};
  for (const [key, member] of Object.entries(shape)) {
    const { optin, def } = (member as z.core.$ZodTypes)._zod;
    const parser = quickParser(member);
    const isRequired = optin === undefined;
    members.set(key, { parser, isRequired });
    if (isRequired) required++;
    else if (optin === "defaulted") defaults[key] = absentOf(member as z.core.$ZodTypes, parser);
    else if (def.type !== "optional" || def.innerType._zod.optin !== undefined)
      unknown("what an absent member becomes");
  }
  const hasDefaults = Object.keys(defaults).length > 0;
  return (value) => {
    if (!isEntries(value)) return misfit;
    let copy: Entries | null = hasDefaults ? { ...defaults, ...value } : null;
    let missing = required;
    for (const key in value) {
      const member = members.get(key);
      const parsed = member ? member.parser(value[key]) : misfit;
      if (parsed === misfit) return misfit;
      if (member?.isRequired) missing--;
      if (parsed !== value[key]) {
        copy ??= { ...value };
        copy[key] = parsed;
      }
    }
    return missing === 0 ? (copy ?? value) : misfit;
  };
}
