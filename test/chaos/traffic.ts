/** Steady traffic of several kinds to every isolate, and what became of each request that failed. */
import { parseDictionary } from "structured-headers";
import { isFailed, type Outcome } from "./blame.ts";

export interface Traffic {
  /** Requests that failed. */
  readonly failed: readonly Outcome[];
  /** Good answers by origin and by path, and all of them. */
  readonly good: ReadonlyMap<string, number>;
  readonly sent: number;
  /** Requests that were due, and were not sent as `underWayMax` were under way. */
  readonly heldBack: number;
  /** Sends no more; resolves when every request is over. */
  stop(): Promise<void>;
}

/** What is asked in turn. */
export interface Kind {
  readonly path: string;
  readonly init?: RequestInit;
}

const tickMs = 20;
/** A request without an answer for so long has none. */
const answerMsMax = 20_000;

/**
 * No client has more requests under way. Without a bound a machine that is too busy for a second would never catch up: what
 * waits longest is given up by its client and served all the same.
 */
const underWayMax = 100;

/** Sends `perSecond` requests a second, by the clock, as long as fewer than `underWayMax` wait for their answers. */
export function startTraffic(urls: readonly string[], kinds: readonly Kind[], perSecond: number): Traffic {
  const failed: Outcome[] = [];
  const good = new Map<string, number>();
  const pending = new Set<Promise<void>>();
  const beganMs = performance.now();
  let [sent, heldBack] = [0, 0];
  const send = async (index: number) => {
    const kind = kinds[index % kinds.length]!;
    // Each isolate gets every kind.
    const outcome = await ask(urls[Math.floor(index / kinds.length) % urls.length]!, kind);
    if (isFailed(outcome)) failed.push(outcome);
    else for (const name of [kind.path, outcome.origin ?? ""]) good.set(name, (good.get(name) ?? 0) + 1);
  };
  const timer = setInterval(() => {
    for (const due = ((performance.now() - beganMs) * perSecond) / 1_000; sent + heldBack < due; ) {
      if (pending.size >= underWayMax) {
        heldBack++;
        continue;
      }
      const request: Promise<void> = send(sent++).finally(() => pending.delete(request));
      pending.add(request);
    }
  }, tickMs);
  return {
    failed,
    good,
    get sent() {
      return sent;
    },
    get heldBack() {
      return heldBack;
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
    },
  };
}

async function ask(url: string, { path, init = {} }: Kind): Promise<Outcome> {
  const sentMs = performance.now();
  let [status, code, origin, isWhole]: [number, string | null, string | null, boolean] = [0, null, null, false];
  try {
    const response = await fetch(url + path, { ...init, signal: AbortSignal.timeout(answerMsMax) });
    status = response.status;
    code = response.headers.get("sluice-error");
    const decision = parseDictionary(response.headers.get("sluice-decision") ?? "");
    origin = decision.get("origin")?.[0]?.toString() ?? null;
    await response.arrayBuffer();
    isWhole = true;
  } catch {
    // What came before says what it was.
  }
  return { sentMs, endedMs: performance.now(), path, status, isWhole, code, origin };
}
