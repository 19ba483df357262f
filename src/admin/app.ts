/** The calls of the admin API: how one is added, and how its request is checked. */
import type { RouteConfig, RouteHandler } from "@hono/zod-openapi";
import type { Context, Hono, MiddlewareHandler, ValidationTargets } from "hono";
import type * as z from "zod";
import { GatewayError, pointerOf } from "../errors.ts";
import { schemaIssues } from "../schema/issues.ts";
import type { AdminContext } from "./context.ts";
import { requestSchemasOf } from "./openapi.ts";

type Checked = "query" | "param" | "header" | "json";

/** Where each part of a request is, before it is checked. `json`: `strictJson` has read it. */
const values: Readonly<Record<Checked, (c: Context<AdminContext>) => unknown>> = {
  // A name that is repeated has a list, which fits no schema.
  query: (c) => Object.fromEntries(Object.entries(c.req.queries()).map(([k, v]) => [k, v.length === 1 ? v[0] : v])),
  param: (c) => c.req.param(),
  header: (c) => c.req.header(),
  json: (c) => JSON.parse(c.var.bodyText),
};

/** Parts of a request as a person calls them. */
const names: Readonly<Record<Checked, string>> = {
  query: "query is",
  param: "path is",
  header: "headers are",
  json: "body is",
};

/** Adds calls to a Hono app, and keeps their descriptions. */
export class AdminApp {
  readonly #hono: Hono<AdminContext>;
  /** The descriptions, in the order in which they were added. */
  readonly calls: RouteConfig[] = [];

  constructor(hono: Hono<AdminContext>) {
    this.#hono = hono;
  }

  /** A call runs its middleware, then the checks of its request, then the handler. */
  add<C extends RouteConfig>(call: C, handler: RouteHandler<C, AdminContext>): void {
    this.calls.push(call);
    const path = call.path.replace(/\{(\w+)\}/g, ":$1");
    this.#hono.on(call.method, [path], ...[call.middleware ?? []].flat(), checked(call), handler as never);
  }
}

/** Refuses a request whose parts are not as described, with every problem of the first such part. */
function checked(call: RouteConfig): MiddlewareHandler<AdminContext> {
  const schemas = Object.entries(requestSchemasOf(call)) as [Checked, z.ZodType | undefined][];
  return async (c, next) => {
    for (const [part, schema] of schemas) {
      if (schema) c.req.addValidatedData(part as keyof ValidationTargets, parsed(part, schema, values[part](c)));
    }
    await next();
  };
}

function parsed(part: Checked, schema: z.ZodType, value: unknown): object {
  const result = schema.safeParse(value);
  if (result.success) return result.data as object;
  const errors = schemaIssues(result.error).map(({ path, detail }) => ({ detail, pointer: pointerOf(path) }));
  throw new GatewayError("invalid_request", { detail: `The ${names[part]} not valid.`, errors });
}
