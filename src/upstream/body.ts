/**
 * The request's body on its way to the origin: streamed, never held, its length kept (a Content-Length stays one,
 * chunked stays chunked), its size bounded.
 */

/** What the fetch sends, and what is known of it. */
export interface OutgoingBody {
  readonly stream: ReadableStream<Uint8Array> | null;
  /** Settles when the last byte was handed to the origin's connection, or when that became impossible. Never rejects. */
  readonly handedOver: Promise<void>;
  /** More bytes came than are allowed; the request to the origin has been aborted. */
  readonly tooLarge: boolean;
}

const none: OutgoingBody = { stream: null, handedOver: Promise.resolve(), tooLarge: false };

/**
 * Prepares a request's body of at most `maxBytes`. Returns null when its Content-Length already says that it is larger.
 * A body of GET or HEAD is dropped: fetch() refuses to send one. `abort` ends the fetch; it is called when a chunked body
 * cannot be sent whole.
 */
export function outgoingBody(request: Request, maxBytes: number, abort: (reason: Error) => void): OutgoingBody | null {
  if (request.body === null || request.method === "GET" || request.method === "HEAD") return none;
  const declared = request.headers.get("content-length");
  if (declared === null) return counted(request.body, maxBytes, abort);
  const length = Number(declared);
  if (!Number.isSafeInteger(length) || length > maxBytes) return null;
  // Both ends are native streams, so no JavaScript runs per chunk.
  const { readable, writable } = new FixedLengthStream(length);
  return { stream: readable, handedOver: request.body.pipeTo(writable).catch(() => {}), tooLarge: false };
}

/**
 * The runtime ends a chunked body with its last chunk even when the stream fails, so that the origin takes half of it for
 * the whole. Therefore the stream never fails: the fetch is aborted, which cuts the connection.
 */
function counted(body: ReadableStream<Uint8Array>, maxBytes: number, abort: (reason: Error) => void): OutgoingBody {
  const { readable, writable } = new IdentityTransformStream();
  let tooLarge = false;
  const copy = async () => {
    const writer = writable.getWriter();
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      tooLarge = bytes > maxBytes;
      if (tooLarge) throw new RangeError("request body too large");
      // Fails when the origin wants no more of it, which is no reason to give up its answer.
      let taken = true;
      await writer.write(chunk).catch(() => {
        taken = false;
      });
      if (!taken) return;
    }
    await writer.close().catch(() => {});
  };
  return {
    stream: readable,
    handedOver: copy().catch(abort),
    get tooLarge() {
      return tooLarge;
    },
  };
}
