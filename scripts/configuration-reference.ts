/** JSON Schema of the document -> docs/configuration.md. */

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

const intro = `# Configuration reference

<!-- Made from the schema by \`npm run generate\`; do not edit. -->

One JSON document, applied with \`PUT /_sluice/v1/config\`. Every part may be left out; an unknown key is an error. \`<name>\` stands for a name of
your choice, \`[]\` for each item of a list. A string that is exactly \`\${VAR}\` is taken from the Worker's variables and secrets. For completion in
an editor, point \`$schema\` to \`sluice.schema.json\` or to \`/_sluice/schema.json\` of a gateway.

What the parts mean together: [routing](routing.md), [versions and canary](versions.md), [registry](registry.md),
[resilience](resilience.md), [fault injection](faults.md).
`;

/** The page. */
export function configurationReference(schema: object): string {
  const sections = Object.entries((schema as Schema).properties ?? {})
    .filter(([name]) => name !== "$schema")
    .map(([name, part]) => `## ${name}\n\n${table(name, part)}`);
  return `${intro}\n${sections.join("\n")}`;
}

function table(name: string, schema: Schema): string {
  const rows = [...rowsOf(name, schema, false)].slice(1);
  return `| key | value | default | |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

function* rowsOf(path: string, schema: Schema, required: boolean): Generator<string> {
  const fallback = required ? "required" : schema.default === undefined ? "" : code(JSON.stringify(schema.default));
  yield `| ${code(path)} | ${kindOf(schema)} | ${isContainer(schema) && !required ? "" : fallback} | ${schema.description ?? ""} |`;
  yield* children(path, schema);
}

function* children(path: string, schema: Schema): Generator<string> {
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    yield* rowsOf(`${path}.${name}`, part, schema.required?.includes(name) ?? false);
  }
  if (schema.items && hasRows(schema.items)) yield* children(`${path}[]`, schema.items);
  if (typeof schema.additionalProperties === "object" && hasRows(schema.additionalProperties)) {
    yield* children(`${path}.<name>`, schema.additionalProperties);
  }
  for (const option of schema.anyOf ?? []) yield* children(path, option);
}

const hasRows = (schema: Schema): boolean => Boolean(schema.properties ?? schema.anyOf?.some(hasRows));
const isContainer = (schema: Schema): boolean => Boolean(schema.properties);

function kindOf(schema: Schema): string {
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.map((value) => code(String(value))).join(", ");
  if (schema.anyOf) return [...new Set(schema.anyOf.map(kindOf))].join(" or ");
  if (schema.items) return `list of ${kindOf(schema.items)}${range("items", schema.minItems, schema.maxItems)}`;
  if (schema.type === "object") return typeof schema.additionalProperties === "object" ? "object by name" : "object";
  if (schema.type === "number" || schema.type === "integer") {
    const above = schema.exclusiveMinimum === undefined ? "" : `, above ${schema.exclusiveMinimum}`;
    return `${schema.type}${above}${range("", schema.minimum, schema.maximum)}`;
  }
  return schema.type ?? "any JSON";
}

function range(unit: string, least: number | undefined, most: number | undefined): string {
  if (unit === "items" || least === undefined) return most === undefined ? "" : `, at most ${most}`;
  return most === undefined ? `, at least ${least}` : `, ${least}…${most}`;
}

const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;
