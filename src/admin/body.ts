/**
 * Bodies of the admin API: read to a bound, then refused where `JSON.parse` would silently choose (duplicate names) or
 * where a value could not be stored as it came.
 */
import type { MiddlewareHandler } from "hono";
import { scanJson } from "../core/json/scan.ts";
import { GatewayError, pointerOf } from "../errors.ts";
import type { AdminContext } from "./context.ts";

/**
 * Checks the body before any handler or validator sees it. `absent` is what an absent body counts as; any Content-Type
 * counts as JSON: `curl -d` says that it sends a form.
 */
export function strictJson(bytesMax: number, absent: "{}" | "" = "{}"): MiddlewareHandler<AdminContext> {
  return async (c, next) => {
    const text = (await readText(c.req.raw, bytesMax)) || absent;
    checkJson(text);
    c.set("bodyText", text);
    await next();
  };
}

/** Throws `invalid_request` with every place that is wrong. */
function checkJson(text: string): void {
  if (text === "") throw new GatewayError("invalid_request", { detail: "The body is empty." });
  try {
    JSON.parse(text);
  } catch (error) {
    throw new GatewayError("invalid_request", { detail: `The body is not JSON: ${(error as Error).message}` });
  }
  const { issues } = scanJson(text);
  if (issues.length === 0) return;
  throw new GatewayError("invalid_request", {
    detail: "The body is JSON that cannot be taken without loss.",
    errors: issues.map(({ detail, path }) => ({ detail, pointer: pointerOf(path) })),
  });
}

async function readText(request: Request, bytesMax: number): Promise<string> {
  const tooLarge = () =>
    new GatewayError("payload_too_large", { detail: `The body is larger than ${bytesMax} bytes.` });
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw tooLarge();
  if (request.body === null) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of request.body) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw tooLarge();
      text += decoded(decoder, chunk);
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    // What is left is the stream's: it fails with its client, who reads no answer; the audit log does.
    throw new GatewayError("invalid_request", { detail: "The body broke off before its end." });
  }
  return text + decoded(decoder);
}

/** The text of a chunk; without one, of what is left over at the end. */
function decoded(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw new GatewayError("invalid_request", { detail: "The body is not UTF-8." });
  }
}
