/**
 * Parses what a Zod schema accepts, at a tenth of Zod's price. An isolate compiles the document before its first request,
 * with cold code; what it reads was accepted before, so Zod's account of each member is made for nobody. Here a schema is
 * turned into one function a node, once; kinds that are not known here are left to Zod.
 */
import * as z from "zod";

/** What a parser answers for a value that its schema refuses. Zod says why. */
export const misfit = Symbol("misfit");

/** The parsed value (the very object where no default was missing), or `misfit`. Values are JSON: nothing is undefined. */
export type QuickParser = (value: unknown) => unknown;

type Checks = z.core.$ZodCheck[] | undefined;
type Test = (value: never) => boolean;

/**
 * A parser that accepts what the schema accepts, and answers the same but for the order of members: defaults come first. That
 * holds for the kinds that the document's schema is made of, against which it is tested; of others some would be taken
 * wrongly (`z.xor`, records by an enum, checks that change their value such as `.trim()`, `.catch()`).
 */
export function quickParser(schema: z.core.$ZodType): QuickParser {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const tests = (def.checks as Checks)?.map(testOf) ?? [];
  const inner = parserOf(schema as z.core.$ZodTypes);
  if (tests.length === 0) return inner;
  return (value) => {
    const parsed = inner(value);
    if (parsed === misfit) return misfit;
    for (const test of tests) if (!test(parsed as never)) return misfit;
    return parsed;
  };
}

/** A check of a value that has the right type. */
function testOf(check: z.core.$ZodCheck): Test {
  const { def } = (check as z.core.$ZodChecks)._zod;
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
    }
  }
  return (value) => {
    const payload: z.core.ParsePayload<never> = { value, issues: [] };
    check._zod.check(payload);
    return payload.issues.length === 0;
  };
}

function parserOf(schema: z.core.$ZodTypes): QuickParser {
  const { def } = schema._zod;
  // A format (`z.iso.datetime`) is a schema and a check at once.
  if ("check" in def || "coerce" in def) return byZod(schema);
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
      return recordParser(quickParser(def.keyType), quickParser(def.valueType));
    case "object":
      return def.catchall?._zod.def.type === "never" ? objectParser(def.shape) : byZod(schema);
    default:
      return byZod(schema);
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

function objectParser(shape: z.core.$ZodShape): QuickParser {
  const members = new Map<string, QuickParser>();
  const required: string[] = [];
  // One value for all objects that leave the member out: nobody changes a document.
  const defaults: Entries = {};
  for (const [key, member] of Object.entries(shape)) {
    members.set(key, quickParser(member));
    const { optin } = member._zod;
    if (optin === undefined) required.push(key);
    if (optin === "defaulted") defaults[key] = z.parse(member, undefined);
  }
  const hasDefaults = Object.keys(defaults).length > 0;
  return (value) => {
    if (!isEntries(value)) return misfit;
    let copy: Entries | null = hasDefaults ? { ...defaults, ...value } : null;
    for (const key in value) {
      const member = members.get(key);
      const parsed = member ? member(value[key]) : misfit;
      if (parsed === misfit) return misfit;
      if (parsed !== value[key]) {
        copy ??= { ...value };
        copy[key] = parsed;
      }
    }
    for (const key of required) if (!Object.hasOwn(value, key)) return misfit;
    return copy ?? value;
  };
}
