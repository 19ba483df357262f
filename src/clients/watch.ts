/** What an object's watchers are told, as the admin API sees it: a call that waits for events, or a WebSocket of them. */
import { bounds } from "../bounds.ts";
import { callObject } from "./call.ts";

/** An object that can be watched. It makes the stub of each call: one fails when it outlives its request. */
export type Watched = () => Pick<DurableObjectStub, "fetch">;

export const registryWatch = (env: Env, service: string): Watched => {
  return () => env.SERVICE_REGISTRY.getByName(service);
};
export const manifestWatch = (env: Env): Watched => {
  return () => env.CONTROL_PLANE.getByName("control-plane");
};

/** `position`: where to read on; of `compacted` where the log ends. */
export type WatchAnswer<E> =
  | { readonly ok: true; readonly position: number; readonly events: readonly E[] }
  | { readonly ok: false; readonly code: "compacted" | "overloaded"; readonly position: number };

/**
 * Events after `from`, as soon as there are any, at the latest after `waitMs` and then none; `from` null: at once where
 * the log ends.
 *
 * @param signal ends the wait when the client has gone.
 */
export async function pollEvents<E>(
  watched: Watched,
  from: number | null,
  waitMs: number,
  signal: AbortSignal,
): Promise<WatchAnswer<E>> {
  const url = urlOf(from, { waitMs: String(waitMs) });
  const ask = async () => (await watched().fetch(url, { signal })).json<WatchAnswer<E>>();
  return callObject(true, ask, waitMs + bounds.objectCallMsMax);
}

/** A 101 whose WebSocket is sent every event after `from` (null: from now on), or why there is none. */
export async function streamEvents(watched: Watched, from: number | null): Promise<Response | WatchAnswer<never>> {
  // Made anew: nothing that the client sent goes further than this.
  const headers = { upgrade: "websocket" };
  const response = await callObject(true, async () => await watched().fetch(urlOf(from), { headers }));
  if (response.webSocket === null) return response.json<WatchAnswer<never>>();
  return new Response(null, { status: 101, webSocket: response.webSocket });
}

function urlOf(from: number | null, query: Readonly<Record<string, string>> = {}): string {
  return `https://object/?${new URLSearchParams({ ...query, ...(from === null ? {} : { from: String(from) }) })}`;
}
