/** The OpenAPI document (3.1) of the calls. Its schemas are JSON Schema, as Zod writes it. */
import type { RouteConfig } from "@hono/zod-openapi";
import * as z from "zod";
import { requestSchemasOf } from "./openapi.ts";
import { adminPrefix } from "./own.ts";

type Schemas = Record<string, object>;
type Content = Readonly<Record<string, { readonly schema: z.ZodType }>>;
interface Answer {
  readonly description: string;
  readonly headers?: z.ZodObject;
  readonly content?: Content;
}

/** The document. A schema whose metadata name a `component` is one of its components. */
export function openApiDocument(calls: readonly RouteConfig[]): object {
  const schemas: Schemas = {};
  const paths: Record<string, Record<string, object>> = {};
  for (const call of calls) {
    paths[adminPrefix + call.path] = { ...paths[adminPrefix + call.path], [call.method]: operationOf(call, schemas) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Sluice admin API", version: "1", description: "Control API of a Sluice gateway." },
    security: [{ token: [] }],
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } }, schemas },
    paths,
  };
}

function operationOf(call: RouteConfig, schemas: Schemas): object {
  const { summary, description, security, request, responses } = call;
  const { param, query, header } = requestSchemasOf(call);
  const parameters = [...fieldsOf("path", param), ...fieldsOf("query", query), ...fieldsOf("header", header)];
  const body = request?.body?.content as Content | undefined;
  return {
    summary,
    description,
    security,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: { required: true, content: contentOf(body, schemas) } } : {}),
    responses: mapped(responses as Record<string, Answer>, (answer) => answerOf(answer, schemas)),
  };
}

function answerOf({ description, headers, content }: Answer, schemas: Schemas): object {
  const fields = fieldsOf("header", headers).map(({ name, in: _, ...field }) => [name, field]);
  return {
    description,
    ...(headers ? { headers: Object.fromEntries(fields) } : {}),
    ...(content ? { content: contentOf(content, schemas) } : {}),
  };
}

function contentOf(content: Content, schemas: Schemas): object {
  return mapped(content, ({ schema }) => ({ schema: referenceOf(schema, schemas) }));
}

/** Parameters or headers: the members of an object. */
function fieldsOf(place: string, object: z.ZodObject | undefined) {
  const { properties = {}, required = [] } = object ? jsonSchemaOf(object) : {};
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: required.includes(name),
    description: (schema as { description?: string }).description,
    schema,
  }));
}

function referenceOf(schema: z.ZodType, schemas: Schemas): object {
  const { component, ...written } = jsonSchemaOf(schema);
  if (component === undefined) return written;
  schemas[component as string] = written;
  return { $ref: `#/components/schemas/${component}` };
}

/** As what is sent: a member with a default may be left out, and what is not known of an answer may be added later. */
function jsonSchemaOf(schema: z.ZodType) {
  const { $schema: _, ...written } = z.toJSONSchema(schema, {
    io: "input",
    override({ zodSchema, jsonSchema }) {
      // The pattern of a date, a page long, says no more than its format.
      if (jsonSchema.format) delete jsonSchema.pattern;
      // Zod leaves it out where the text that is sent becomes a number.
      const { def } = zodSchema._zod;
      if (def.type === "default") jsonSchema.default = def.defaultValue;
    },
  });
  return written;
}

function mapped<T>(values: Readonly<Record<string, T>>, change: (value: T) => unknown): object {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}
