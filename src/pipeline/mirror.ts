/** Stage: copies of the request for others to look at. They never disturb: no answer waits for one or depends on one. */
import { bounds } from "../bounds.ts";
import type { RequestFacts } from "../core/facts.ts";
import type { Mirror, Origin, Route } from "../snapshot/types.ts";
import type { OutgoingBody } from "../upstream/body.ts";
import { within } from "../within.ts";

/** Copies under way in this isolate. One that was cut off with its request counts until its time is over. */
const underWay = new Set<{ readonly endsAtMs: number }>();

/** The request as its origins receive it, which is what is copied. */
export interface Mirrored {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
  readonly body: OutgoingBody;
}

/** The mirrors of the route that this request is drawn for. */
export function drawMirrors({ mirrors }: Route, { method }: RequestFacts): readonly Mirror[] {
  if (mirrors.length === 0) return mirrors;
  return mirrors.filter(({ methods, percent }) => methods.has(method) && Math.random() * 100 < percent);
}

/**
 * Sends a copy to the origin, once; whatever becomes of it, nobody is told. A body is copied when it has been read and was
 * kept; one that is too large to keep is not mirrored at all.
 */
export async function sendMirror(mirrored: Mirrored, origin: Origin, timeoutMs: number): Promise<void> {
  const nowMs = Date.now();
  if (!hasRoom(nowMs)) return;
  const copy = { endsAtMs: nowMs + timeoutMs };
  underWay.add(copy);
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const chunks = await within(mirrored.body.whole(bounds.copiedBodyBytesMax), timeoutMs, () => null);
    if (chunks === null) return;
    const headers = new Headers(mirrored.headers);
    headers.set("x-sluice-mirror", "1");
    headers.delete("upgrade");
    const body = chunks.length === 0 ? null : await new Blob([...chunks]).arrayBuffer();
    const init = { method: mirrored.method, headers, body, signal, redirect: "manual" } as const;
    const answer = await fetch(origin.url + mirrored.target, init);
    await answer.body?.cancel();
  } catch {
    // Not even a failure of ours disturbs.
  } finally {
    underWay.delete(copy);
  }
}

function hasRoom(nowMs: number): boolean {
  const max = bounds.mirrorsUnderWayMax;
  if (underWay.size >= max) for (const copy of underWay) if (copy.endsAtMs <= nowMs) underWay.delete(copy);
  return underWay.size < max;
}
