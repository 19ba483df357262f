/**
 * The request's body on its way to the origin: streamed, its length kept (a Content-Length stays one, chunked stays
 * chunked), its size bounded. What is to be sent again is recorded while it is streamed, so a retry holds nothing back.
 */
import { bounds } from "../bounds.ts";
import type { Deadline } from "./deadline.ts";
import { newPatience, type Patience, piecesOf } from "./pieces.ts";

/** The body of one request, for one origin after the other. */
export interface OutgoingBody {
  /**
   * Opens a stream for the next try; null when there is no body. `fetching` is the clock of the fetch that reads it: it is
   * aborted when the body cannot be sent whole, and has expired when the origin takes none of it for `stallMs`. Only the
   * first call may be made unless `isRepeatable`.
   */
  open(fetching: Fetching): Sending | null;
  /** Nothing was sent yet, or all of it is in hand or will be, and no more than `bytesMax`. */
  isRepeatable(bytesMax: number): boolean;
  /** The client has sent all of it. */
  readonly isReceived: boolean;
  /** More bytes came than are allowed, none came for too long, or the client broke off: no failure of the origin. */
  readonly failure: "too_large" | "idle" | "client" | null;
  /** All of it, once it has been read; null when it was not kept, is larger than `bytesMax`, or is not being read. Never rejects. */
  whole(bytesMax: number): Promise<readonly Uint8Array[] | null>;
}

type Fetching = Pick<Deadline, "abort" | "expire">;

/** A body as one try sends it. `handedOver` settles when the last byte was taken, or never will be. It never rejects. */
export interface Sending {
  readonly stream: ReadableStream<Uint8Array>;
  readonly handedOver: Promise<void>;
}

/** `maxBytes`: of the body; `keepBytes`: up to this size it is kept for another try, 0 = never. */
export interface BodyLimits {
  readonly maxBytes: number;
  readonly keepBytes: number;
  /** Silence of the client that ends the upload; 0 = none does. */
  readonly idleMs: number;
  /** How long an origin may take over what is there for it, of which it gets `pieceBytesMax` at a time; 0 = for ever. */
  readonly stallMs: number;
}

const none: OutgoingBody = {
  open: () => null,
  isRepeatable: () => true,
  isReceived: true,
  failure: null,
  whole: async () => [],
};

/**
 * Prepares a request's body. Returns null when its Content-Length already says that it is larger than `maxBytes`. A body of
 * GET or HEAD is dropped: fetch() refuses to send one.
 */
export function outgoingBody(request: Request, limits: BodyLimits): OutgoingBody | null {
  if (request.method === "GET" || request.method === "HEAD") return none;
  const { body } = request;
  if (body === null) return none;
  const declared = request.headers.get("content-length");
  const length = declared === null ? null : Number(declared);
  if (length !== null && (!Number.isSafeInteger(length) || length > limits.maxBytes)) return null;
  const isKept = length === null ? limits.keepBytes > 0 : length <= limits.keepBytes;
  const isSmall = length !== null && length <= bounds.pipedBodyBytesMax;
  if (isSmall && !isKept && limits.idleMs === 0) return piped(body, length);
  return recorded(body, length, isKept ? limits : { ...limits, keepBytes: 0 });
}

/**
 * Both ends are native streams, so no JavaScript runs per chunk. Nobody watches it either, so it is for bodies that the
 * buffers on the way take whole, whether the origin reads or not.
 */
function piped(body: ReadableStream<Uint8Array>, length: number): OutgoingBody {
  let [isOpened, isReceived] = [false, false];
  let failure: OutgoingBody["failure"] = null;
  return {
    open(fetching) {
      isOpened = true;
      const { readable, writable } = new FixedLengthStream(length);
      const onPiped = () => {
        isReceived = true;
      };
      const onBroken = (error: Error) => {
        // What the client does not send leaves this end as it was; what the origin does not take has broken it.
        if (writable.getWriter().desiredSize === null) return;
        failure = "client";
        fetching.abort(error);
      };
      const handedOver = body.pipeTo(writable, { preventAbort: true }).then(onPiped, onBroken);
      return { stream: readable, handedOver: handedOver.catch(() => {}) };
    },
    isRepeatable: () => !isOpened,
    get isReceived() {
      return isReceived;
    },
    get failure() {
      return failure;
    },
    whole: async () => null,
  };
}

/**
 * Read piece by piece: counted, and recorded as long as it fits.
 *
 * The runtime ends a chunked body with its last chunk even when the stream fails, so that the origin takes half of it for
 * the whole. Therefore the stream never fails: the fetch is aborted, which cuts the connection.
 */
function recorded(body: ReadableStream<Uint8Array>, length: number | null, limits: BodyLimits): OutgoingBody {
  let kept: Uint8Array[] | null = [];
  let failure: OutgoingBody["failure"] = null;
  let reading: Promise<void> | null = null;
  let [bytes, isReceived] = [0, false];
  const newPipe = () => (length === null ? new IdentityTransformStream() : new FixedLengthStream(length));

  const onIdle = () => {
    failure = "idle";
    throw new Error("the request's body stopped coming");
  };
  /** Reads to the end; what it reads goes to the first try, as long as that takes any. Never rejects. */
  const read = async (writable: WritableStream<Uint8Array>, fetching: Fetching, patience: Patience): Promise<void> => {
    const writer = writable.getWriter();
    let isTaken = true;
    try {
      for await (const read of piecesOf(body, length, limits.idleMs, onIdle)) {
        bytes += read.byteLength;
        if (bytes > limits.maxBytes) {
          failure = "too_large";
          throw new RangeError("request body too large");
        }
        if (bytes > limits.keepBytes) kept = null;
        // What is kept must be sent from there: the next read overwrites what a silent origin has not taken.
        const piece = kept === null ? read : read.slice();
        kept?.push(piece);
        if (isTaken) isTaken = await written(writer.write(piece), fetching, patience);
        if (!isTaken && kept === null) return;
      }
      isReceived = true;
      if (isTaken) await writer.close().catch(() => {});
    } catch (error) {
      failure ??= "client";
      kept = null;
      fetching.abort(error as Error);
    }
  };
  const resend = async (
    writable: WritableStream<Uint8Array>,
    fetching: Fetching,
    patience: Patience,
  ): Promise<void> => {
    await reading;
    if (kept === null) return fetching.abort(new Error("the request's body is gone"));
    const writer = writable.getWriter();
    for (const piece of kept) if (!(await written(writer.write(piece), fetching, patience))) return;
    await writer.close().catch(() => {});
  };
  return {
    open(fetching) {
      const { readable, writable } = newPipe();
      const patience = newPatience(limits.stallMs);
      const send = reading === null ? read : resend;
      const handedOver = send(writable, fetching, patience).finally(patience.end);
      reading ??= handedOver;
      return { stream: readable, handedOver };
    },
    isRepeatable: (bytesMax) => reading === null || (kept !== null && (length ?? bytes) <= bytesMax),
    get isReceived() {
      return isReceived;
    },
    get failure() {
      return failure;
    },
    async whole(bytesMax) {
      await reading;
      return reading === null || bytes > bytesMax ? null : kept;
    },
  };
}

/** Writes; false when the origin wants no more of it, which is no reason to give up its answer. Never rejects. */
function written(writing: Promise<void>, fetching: Fetching, patience: Patience): Promise<boolean> {
  const taken = writing.then(
    () => true,
    () => false,
  );
  return patience.within(taken, () => {
    fetching.expire();
    return false;
  });
}
