import { createExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect } from "vitest";
import { newAdmin } from "../../src/admin/index.ts";
import { type ErrorCode, errorKinds } from "../../src/errors.ts";
import { explain } from "../../src/pipeline/explain.ts";
import { currentSnapshot, refreshSnapshot, snapshotStatus } from "../../src/snapshot/cache.ts";
import { tokens } from "../support/tokens.ts";

export { tokens };

/** The admin app as the entry makes it. */
export const admin = newAdmin({ current: currentSnapshot, refresh: refreshSnapshot, status: snapshotStatus }, explain);

export type Role = keyof typeof tokens;

/** A call of the admin API. `body` that is no string is sent as JSON; `role` null sends no token. */
export interface Call {
  readonly role?: Role | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

function requestOf(method: string, path: string, { role = "admin", headers = {}, body }: Call): Request {
  const sent = new Headers(headers);
  if (role !== null && !sent.has("authorization")) sent.set("authorization", `Bearer ${tokens[role]}`);
  const raw =
    body === undefined || typeof body === "string" || body instanceof ReadableStream || body instanceof Uint8Array;
  const init: RequestInit = { method, headers: sent };
  if (body !== undefined) init.body = raw ? (body as BodyInit) : JSON.stringify(body);
  return new Request(`https://gateway.example/_sluice${path}`, init);
}

/** Through the Worker's entry, as a client calls it. */
export function call(method: string, path: string, options: Call = {}): Promise<Response> {
  return exports.default.fetch(requestOf(method, path, options));
}

/** With other variables than the Worker has. */
export function callWith(variables: Record<string, unknown>, method: string, path: string, options: Call = {}) {
  return admin.fetch(requestOf(method, path, options), { ...env, ...variables } as Env, createExecutionContext());
}

/** Everything that is promised of an error. */
export interface Problem {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors?: readonly { readonly detail: string; readonly pointer: string }[];
  readonly revision?: number;
}

export async function problemOf(response: Response, code: ErrorCode): Promise<Problem> {
  const problem = await response.json<Problem & Record<string, unknown>>();
  expect(problem).toMatchObject({
    type: `urn:sluice:error:${code}`,
    title: errorKinds[code].title,
    status: errorKinds[code].status,
    code,
    detail: expect.stringMatching(/\S/),
    requestId: expect.stringMatching(/^[A-Za-z0-9._-]{1,128}$/),
  });
  expect(response.status).toBe(errorKinds[code].status);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("sluice-error")).toBe(code);
  expect(response.headers.get("x-request-id")).toBe(problem.requestId);
  expect(response.headers.get("cache-control")).toBe("no-store");
  return problem;
}

/** Details by pointer. */
export async function errorsOf(response: Response, code: ErrorCode): Promise<Record<string, string>> {
  const { errors = [] } = await problemOf(response, code);
  return Object.fromEntries(errors.map(({ pointer, detail }) => [pointer, detail]));
}

export interface Applied {
  readonly revision: number;
  readonly hash: string;
  readonly changes: readonly {
    readonly op: string;
    readonly path: string;
    readonly from?: unknown;
    readonly to?: unknown;
  }[];
  readonly truncated: boolean;
  readonly warnings: readonly { readonly detail: string; readonly pointer: string }[];
}

/** Puts a document in force. */
export async function apply(document: unknown): Promise<Applied> {
  const response = await call("PUT", "/v1/config", { body: document });
  if (response.status !== 200) throw new Error(await response.text());
  return response.json<Applied>();
}
