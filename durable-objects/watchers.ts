/**
 * Who watches an object's log: calls that wait for the next event, and WebSockets that are sent each one.
 *
 * A WebSocket hibernates with its object: its place is in its attachment, and pings are answered without waking anybody.
 * A client that does not read cannot be told from one that does, so a connection carries only so much. Then it is closed,
 * and the client resumes; what waits for a client in memory has that bound, also when it resumes from far behind.
 */
import { bounds } from "../src/bounds.ts";
import { type Entry, type Page, pageAfter } from "../src/core/leasing/log.ts";
import { within } from "../src/within.ts";

/** The log that is watched. */
export interface WatchedLog {
  /** Position of the last event ever; 0 before the first. */
  head(): number;
  /** The oldest events after a position that are kept, at most `limit`. */
  after(position: number, limit: number): readonly Entry<object>[];
}

/** What an isolate is answered, as JSON, unless it gets a WebSocket. `position`: see `Page`. */
export type WatchAnswer =
  | { readonly ok: true; readonly position: number; readonly events: readonly object[] }
  | { readonly ok: false; readonly code: "compacted" | "overloaded"; readonly position: number };

/** A WebSocket's attachment. */
interface Place {
  /** Of the last event that was sent. */
  readonly position: number;
  /** Characters sent. */
  readonly sent: number;
  /** Messages received. */
  readonly received: number;
}

export class Watchers {
  readonly #ctx: DurableObjectState;
  readonly #log: WatchedLog;
  /** Wakes the calls that wait. */
  readonly #waiting = new Set<() => void>();

  constructor(ctx: DurableObjectState, log: WatchedLog) {
    this.#ctx = ctx;
    this.#log = log;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /**
   * Answers an isolate's `GET ?from=<position>&waitMs=<ms>` with every event after `from`, as soon as there is one or the
   * wait is over; without `from` at once with the position where the log ends. With `Upgrade: websocket` it answers 101,
   * or why not.
   */
  async fetch(request: Request): Promise<Response> {
    const query = new URL(request.url).searchParams;
    const from = query.has("from") ? Number(query.get("from")) : this.#log.head();
    if (request.headers.has("upgrade")) return this.#stream(from);
    const waitMs = query.has("from") ? Math.min(Number(query.get("waitMs")), bounds.watchWaitSecondsMax * 1000) : 0;
    return Response.json(await this.#poll(from, waitMs, request.signal));
  }

  /** To be called after events were stored. Never throws: what they tell of has happened. */
  notify(): void {
    for (const wake of this.#waiting) wake();
    for (const socket of this.#ctx.getWebSockets()) {
      if (socket.readyState === WebSocket.OPEN) this.#advance(socket);
    }
  }

  /** Takes a client's message, which says nothing; a client that goes on sending them is cut off. */
  message(socket: WebSocket, message: string | ArrayBuffer): void {
    const place = placeOf(socket);
    const received = place.received + 1;
    socket.serializeAttachment({ ...place, received });
    const length = typeof message === "string" ? message.length : message.byteLength;
    if (received > bounds.watcherMessagesMax || length > bounds.watcherMessageLengthMax) {
      socket.close(1008, "this stream takes no messages");
    }
  }

  /** Answers a client's Close, or its end without one: the runtime would leave it waiting until the object sleeps. */
  left(socket: WebSocket): void {
    socket.close(1000);
  }

  async #poll(from: number, waitMs: number, signal: AbortSignal): Promise<WatchAnswer> {
    const page = this.#read(from);
    if (!page.ok || page.entries.length > 0 || waitMs === 0) return answerOf(page);
    if (this.#isFull()) return { ok: false, code: "overloaded", position: from };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    // The client has gone: nobody waits any more.
    signal.addEventListener("abort", () => resolve());
    try {
      await within(promise, waitMs, () => undefined);
    } finally {
      this.#waiting.delete(resolve);
    }
    return answerOf(this.#read(from));
  }

  #stream(from: number): Response {
    const page = this.#read(from);
    if (!page.ok) return Response.json(page satisfies WatchAnswer);
    if (this.#isFull()) {
      return Response.json({ ok: false, code: "overloaded", position: from } satisfies WatchAnswer);
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    server.serializeAttachment({ position: from, sent: 0, received: 0 } satisfies Place);
    this.#advance(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Sends what a WebSocket has not been sent yet, up to what one connection carries. */
  #advance(socket: WebSocket): void {
    try {
      const head = this.#log.head();
      let place = placeOf(socket);
      while (place.position !== head && place.sent <= bounds.watcherCharactersMax) {
        const page = this.#read(place.position);
        if (!page.ok) throw new Error(page.code);
        place = sendSome(socket, page.entries, place);
      }
      socket.serializeAttachment(place);
      if (place.sent > bounds.watcherCharactersMax) socket.close(1013, "resume");
    } catch (error) {
      // Whatever it is, the client is told when it resumes.
      console.warn({ message: "a watcher was cut off", error: String(error) });
      socket.close(1013, "resume");
    }
  }

  #read(from: number): Page<object> {
    return pageAfter(from, this.#log.head(), this.#log.after(from, bounds.watchEventsPerPageMax));
  }

  #isFull(): boolean {
    return this.#waiting.size + this.#ctx.getWebSockets().length >= bounds.watchersMax;
  }
}

/** Sends entries up to the first that is beyond what the connection carries. */
function sendSome(socket: WebSocket, entries: readonly Entry<object>[], place: Place): Place {
  let { position, sent } = place;
  for (const entry of entries) {
    const text = JSON.stringify(entry.event);
    socket.send(text);
    position = entry.position;
    sent += text.length;
    if (sent > bounds.watcherCharactersMax) break;
  }
  return { ...place, position, sent };
}

const placeOf = (socket: WebSocket): Place => socket.deserializeAttachment() as Place;

function answerOf(page: Page<object>): WatchAnswer {
  if (!page.ok) return page;
  return { ok: true, position: page.position, events: page.entries.map(({ event }) => event) };
}
