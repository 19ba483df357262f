/** As much of JSON Schema (draft 2020-12) as the configuration's uses. An unknown keyword is an error, not a pass. */
export interface Schema {
  readonly [keyword: string]: unknown;
}

type Check = (value: unknown, expected: never, schema: Schema, root: Schema) => boolean;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const lengthOf = (value: unknown) => (typeof value === "string" ? [...value].length : null);
const sizeOf = (value: unknown) => (isObject(value) ? Object.keys(value).length : null);
const itemsOf = (value: unknown) => (Array.isArray(value) ? value.length : null);
const numberOf = (value: unknown) => (typeof value === "number" ? value : null);
const atLeast = (measure: (value: unknown) => number | null) => (value: unknown, bound: number) =>
  (measure(value) ?? bound) >= bound;
const atMost = (measure: (value: unknown) => number | null) => (value: unknown, bound: number) =>
  (measure(value) ?? bound) <= bound;
const types: Record<string, (value: unknown) => boolean> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
};
const annotation = () => true;

const checks: Record<string, Check> = {
  $schema: annotation,
  $defs: annotation,
  title: annotation,
  description: annotation,
  default: annotation,
  format: annotation,
  type: (value, type: string) => types[type]!(value),
  const: (value, expected: unknown) => value === expected,
  enum: (value, list: readonly unknown[]) => list.includes(value),
  pattern: (value, pattern: string) => typeof value !== "string" || new RegExp(pattern, "u").test(value),
  minimum: atLeast(numberOf),
  maximum: atMost(numberOf),
  exclusiveMinimum: (value, bound: number) => typeof value !== "number" || value > bound,
  minLength: atLeast(lengthOf),
  maxLength: atMost(lengthOf),
  minItems: atLeast(itemsOf),
  maxItems: atMost(itemsOf),
  minProperties: atLeast(sizeOf),
  maxProperties: atMost(sizeOf),
  required: (value, names: readonly string[]) => !isObject(value) || names.every((name) => Object.hasOwn(value, name)),
  items: (value, schema: Schema, _, root) =>
    !Array.isArray(value) || value.every((item) => matchesSchema(item, schema, root)),
  properties: (value, properties: Record<string, Schema>, _, root) =>
    !isObject(value) ||
    Object.entries(properties).every(
      ([name, schema]) => !Object.hasOwn(value, name) || matchesSchema(value[name], schema, root),
    ),
  propertyNames: (value, schema: Schema, _, root) =>
    !isObject(value) || Object.keys(value).every((name) => matchesSchema(name, schema, root)),
  additionalProperties: (value, rest: Schema | boolean, { properties }, root) =>
    !isObject(value) ||
    Object.entries(value).every(
      ([name, item]) =>
        (isObject(properties) && Object.hasOwn(properties, name)) ||
        (typeof rest === "boolean" ? rest : matchesSchema(item, rest, root)),
    ),
  anyOf: (value, schemas: readonly Schema[], _, root) => schemas.some((schema) => matchesSchema(value, schema, root)),
  $ref: (value, reference: string, _, root) => matchesSchema(value, resolve(reference, root), root),
};

function resolve(reference: string, root: Schema): Schema {
  return reference
    .split("/")
    .slice(1)
    .reduce<Schema>((schema, step) => schema[step] as Schema, root);
}

/** Does a JSON value fit the schema? */
export function matchesSchema(value: unknown, schema: Schema, root: Schema = schema): boolean {
  return Object.entries(schema).every(([keyword, expected]) => {
    const check = checks[keyword];
    if (!check) throw new Error(`unknown keyword ${keyword}`);
    return check(value, expected as never, schema, root);
  });
}
