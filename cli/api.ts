/** The admin API of a gateway, as the CLI calls it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Issue } from "../src/errors.ts";
import { Failure } from "./failure.ts";
import { limits } from "./limits.ts";
import { plain } from "./output.ts";

export interface Call {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  /** JSON text. */
  readonly body?: string;
  /** Revision that is to be replaced. */
  readonly ifMatch?: number;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Deadline, `limits.callMsMax` when left out. */
  readonly timeoutMs?: number;
  /** A status that is an answer too, although it is no success. */
  readonly expects?: number;
  /** Ends the call before its deadline; it then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What came back. `body` is null when there was none. `revision`: the ETag's. */
export interface Answer<T> {
  readonly body: T;
  readonly text: string;
  readonly revision: number | null;
  readonly status: number;
}

export interface Api {
  /** Base URL of the gateway, without a slash at the end. */
  readonly url: string;
  /** One call below `/_sluice`. Throws `Refusal`, or `Failure` when there is no answer of a gateway. */
  call<T>(path: string, call?: Call): Promise<Answer<T>>;
}

/** The gateway's "no" (RFC 9457). `members`: the whole problem document. */
export class Refusal extends Failure {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly Issue[];
  readonly members: Readonly<Record<string, unknown>>;

  constructor(status: number, members: Readonly<Record<string, unknown>>) {
    const { code, detail, title, errors, requestId } = members as Partial<Record<string, string>> & {
      errors?: Issue[];
    };
    const id = requestId ? `, request ${requestId}` : "";
    const lines = (errors ?? []).map((issue) => plain(`${issue.pointer}: ${issue.detail}`));
    super(`${detail ?? title} (${status} ${code}${id})`, lines, { code, status, requestId, errors });
    this.status = status;
    this.code = code ?? "";
    this.errors = errors ?? [];
    this.members = members;
  }
}

/** No answer within the deadline, or none at all: the same call may succeed later. */
export class Unreachable extends Failure {}

/** The gateway at `url` (http or https, perhaps with a path), called with a token. Throws `Failure` for a URL that is none. */
export function newApi(url: string, token: string): Api {
  const base = baseOf(url);
  return { url: base, call: (path, call = {}) => withRetries(base, token, path, call) };
}

function baseOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new Failure(`${JSON.stringify(text)} is not the URL of a gateway, such as https://gateway.example.com`);
  }
  if (url.username || url.password) throw new Failure("a URL cannot carry credentials; set SLUICE_TOKEN");
  return (url.origin + url.pathname).replace(/(?:\/_sluice)?\/*$/, "");
}

/** Only what reads is tried again: nobody knows what has become of anything else. */
async function withRetries<T>(base: string, token: string, path: string, call: Call): Promise<Answer<T>> {
  const triesMax = (call.method ?? "GET") === "GET" ? limits.readTriesMax : 1;
  for (let tries = 1; ; tries++) {
    try {
      return await once<T>(base, token, path, call);
    } catch (error) {
      if (tries >= triesMax || !mayPass(error)) throw error;
      await sleep(limits.readRetryMs * 2 ** (tries - 1), undefined, call.signal && { signal: call.signal });
    }
  }
}

/** Whether the same call may succeed soon. */
export function mayPass(error: unknown): boolean {
  if (error instanceof Refusal)
    return ["control_plane_unavailable", "overloaded", "internal_error"].includes(error.code);
  return error instanceof Unreachable;
}

async function once<T>(base: string, token: string, path: string, call: Call): Promise<Answer<T>> {
  const { method = "GET", body, ifMatch, query = {}, timeoutMs = limits.callMsMax, expects, signal } = call;
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, `${value}`] as [string, string]],
  );
  const search = given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${base}/_sluice${path}${search}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(ifMatch !== undefined && { "if-match": `"${ifMatch}"` }),
      },
      // The token must not go elsewhere.
      redirect: "error",
      signal: signal ? AbortSignal.any([timeout, signal]) : timeout,
      ...(body !== undefined && { body }),
    });
    return answerOf<T>(base, response, await response.text(), expects);
  } catch (error) {
    if (error instanceof Failure) throw error;
    signal?.throwIfAborted();
    const isUnknown = method !== "GET" ? "; whether it did what it was asked is not known" : "";
    throw new Unreachable(`${base} ${reasonOf(error, timeout, timeoutMs)}${isUnknown}`);
  }
}

function reasonOf(error: unknown, timeout: AbortSignal, timeoutMs: number): string {
  if (timeout.aborted) return `did not answer within ${timeoutMs / 1_000} s`;
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message: string };
  return `cannot be reached: ${cause?.code ?? cause?.message ?? message}`;
}

function answerOf<T>(base: string, response: Response, text: string, expects: number | undefined): Answer<T> {
  const { status } = response;
  const body = text === "" ? null : parsed(text);
  const isProblem = typeof body === "object" && body !== null && "code" in body;
  if ((response.ok || (status === expects && !isProblem)) && body !== undefined) {
    const revision = /^(?:W\/)?"(\d+)"$/.exec(response.headers.get("etag") ?? "")?.[1];
    return { body: body as T, text, revision: revision === undefined ? null : Number(revision), status };
  }
  if (isProblem) throw new Refusal(status, body as Refusal["members"]);
  const answered = `${base} answered ${status} with something that is not of a Sluice gateway`;
  throw status >= 502 && status <= 504 ? new Unreachable(answered) : new Failure(answered);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
