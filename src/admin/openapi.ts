/** What the descriptions of the admin API's calls share. Of @hono/zod-openapi only types are used: its code is left out of the bundle. */
import type { RouteConfig } from "@hono/zod-openapi";
import * as z from "zod";
import { GatewayError } from "../errors.ts";
import { Problem } from "../schema/api.ts";

/** A call: its types follow from what it says. A path has its parameters in braces. */
export function describeCall<P extends string, C extends Omit<RouteConfig, "path"> & { path: P }>(call: C): C {
  return call;
}

/** What the parts of a call's request must be. */
export function requestSchemasOf({ request = {} }: RouteConfig) {
  const [body] = Object.values(request.body?.content ?? {}) as { readonly schema: z.ZodType }[];
  const { query, params, headers } = request as Readonly<Record<string, z.ZodObject | undefined>>;
  return { query, param: params, header: headers, json: body?.schema };
}

/**
 * An integer in a path or query, as decimal digits. Zod's own coercion takes whatever `Number` does: `0x10`, `1e3`, blanks.
 * In the document it is an integer.
 */
export const integer = (min: number, max: number) =>
  z.preprocess(
    (text) => (/^\d+$/.test(String(text)) ? Number(text) : text),
    z
      .int({ error: ({ code }) => (code === "invalid_type" ? "must be an integer in decimal digits" : undefined) })
      .min(min)
      .max(max),
  );

/** A JSON answer. */
export function json<T extends z.ZodType>(description: string, schema: T) {
  return { description, content: { "application/json": { schema } } };
}

const statusTexts = {
  400: "The request is not valid",
  401: "The token is missing or wrong",
  403: "The token's role does not allow the call",
  404: "There is no such service, origin, lease or limit",
  409: "The service's state does not allow the call",
  410: "Events after this revision are no longer kept; `revision` is where to list from",
  412: "The revision has changed",
  413: "The body is too large",
  422: "The document does not compile",
  503: "The admin API is disabled, the gateway unconfigured or the control plane away",
} as const;

/** The problem answers (RFC 9457) that a call may give. */
export function problems(...statuses: readonly (keyof typeof statusTexts)[]) {
  const answer = (status: keyof typeof statusTexts) => ({
    description: statusTexts[status],
    content: { "application/problem+json": { schema: Problem } },
  });
  return Object.fromEntries(statuses.map((status) => [status, answer(status)]));
}

/** The revision of an If-Match header (`"12"`), null when there is none or it is `*`. Throws `invalid_request`. */
export function ifMatchOf(header: string | undefined): number | null {
  if (header === undefined || header.trim() === "*") return null;
  const digits = /^\s*(?:W\/)?"(\d{1,15})"\s*$/.exec(header)?.[1];
  if (digits === undefined) {
    throw new GatewayError("invalid_request", { detail: 'If-Match must be one revision in quotes, as in "12".' });
  }
  return Number(digits);
}
