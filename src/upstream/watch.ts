/** An answer whose body is watched while it passes: it may not fall silent, and its end is told. Only where asked for. */

import { piecesOf } from "./pieces.ts";

/** What to watch for. */
export interface Watch {
  /** Silence of the origin that cuts the answer off; 0 = none does. */
  readonly idleMs: number;
  /** Called once, when the last byte was taken, or the body failed, or the client left. */
  readonly ended: () => void;
}

/**
 * The same answer, for the price of a copy. An encoded body is decoded and encoded again by the runtime, so its bytes and its
 * length may differ; any other body keeps both. After a silence both sides are cut off: the client sees a truncated
 * transfer and never takes a part for the whole.
 */
export function watched(response: Response, watch: Watch, ctx: ExecutionContext): Response {
  const { body, status, statusText, webSocket } = response;
  if (body === null || webSocket) {
    watch.ended();
    return response;
  }
  const headers = new Headers(response.headers);
  const length = headers.has("content-encoding") ? Number.NaN : Number(headers.get("content-length") ?? Number.NaN);
  // A length that cannot be counted to is none.
  const isFixed = Number.isSafeInteger(length);
  if (!isFixed) headers.delete("content-length");
  const { readable, writable } = isFixed ? new FixedLengthStream(length) : new IdentityTransformStream();
  const copied =
    watch.idleMs === 0 ? body.pipeTo(writable) : copy(body, isFixed ? length : null, writable, watch.idleMs);
  ctx.waitUntil(copied.then(watch.ended, watch.ended));
  return new Response(readable, { status, statusText, headers });
}

async function copy(
  body: ReadableStream<Uint8Array>,
  length: number | null,
  writable: WritableStream<Uint8Array>,
  idleMs: number,
): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const piece of piecesOf(body, length, idleMs, cutOff)) await writer.write(piece);
    await writer.close();
  } catch (error) {
    await writer.abort(error);
  }
}

/** Throws as if the connection were lost: `retryable` makes it so to the runtime, which logs every other error as uncaught. */
function cutOff(): never {
  throw Object.assign(new Error("the origin's body stopped coming"), { retryable: true });
}
