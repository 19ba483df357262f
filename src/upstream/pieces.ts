/**
 * A native stream read by JavaScript. What that costs goes by the number of reads, not of bytes, and a timer for each read
 * costs more than the read: so pieces are large, and one timer serves all waits.
 */
import { bounds } from "../bounds.ts";

/** A bound on waits, one after the other. */
export interface Patience {
  /** What `work` comes to; when that takes too long, what `late` returns or throws. `work` itself goes on. */
  within<T>(work: Promise<T>, late: () => T): Promise<T>;
  /** To be called after the last wait, as a timer that is left may wake for nothing. */
  end(): void;
}

/** Waits for `ms`, 0 = however long. A timer that runs out looks how old the wait of now is, and sleeps for the rest. */
export function newPatience(ms: number): Patience {
  if (ms === 0) return { within: (work) => work, end() {} };
  let timer: ReturnType<typeof setTimeout> | null = null;
  let wait: { readonly dueMs: number; readonly giveUp: () => void } | null = null;
  const look = () => {
    timer = null;
    if (wait === null) return;
    const leftMs = wait.dueMs - Date.now();
    if (leftMs <= 0) wait.giveUp();
    else timer = setTimeout(look, leftMs);
  };
  return {
    async within(work, late) {
      const silence = Promise.withResolvers<void>();
      wait = { dueMs: Date.now() + ms, giveUp: silence.resolve };
      timer ??= setTimeout(look, ms);
      try {
        return await Promise.race([work, silence.promise.then(late)]);
      } finally {
        wait = null;
      }
    },
    end() {
      wait = null;
      clearTimeout(timer);
    },
  };
}

/**
 * What comes, as it comes: nothing is held back to fill a piece. All pieces lie in the same memory, so one is good until the
 * next is asked for. `length`: of the body, null = unknown. After a silence of `idleMs` (0 = none) `late` throws. The body
 * is cancelled when its reader stops before the end.
 */
export async function* piecesOf(
  body: ReadableStream<Uint8Array>,
  length: number | null,
  idleMs: number,
  late: () => never,
): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader({ mode: "byob" });
  const patience = newPatience(idleMs);
  // Without a length it may be a stream of small events, of which an isolate holds many for long.
  const firstBytes = length === null ? bounds.pieceBytesFirst : Math.min(Math.max(length, 1), bounds.pieceBytesMax);
  let memory: ArrayBufferLike = new ArrayBuffer(firstBytes);
  try {
    for (;;) {
      const reading: Promise<ReadableStreamReadResult<Uint8Array>> = reader.read(new Uint8Array(memory));
      const { done, value } = await patience.within(reading, late);
      if (done) return;
      yield value;
      // A piece that fills it means that more is waiting.
      const isTooSmall =
        length === null && value.byteLength === value.buffer.byteLength && value.byteLength < bounds.pieceBytesMax;
      memory = isTooSmall ? new ArrayBuffer(bounds.pieceBytesMax) : value.buffer;
    }
  } finally {
    patience.end();
    void reader.cancel().catch(() => {});
  }
}
