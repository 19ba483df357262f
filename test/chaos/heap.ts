/** What the gateway's JavaScript keeps: by workerd's inspector, after a collection, so that no garbage is in it. */
import type { Gateway } from "../support/gateway.ts";

const mib = 1 << 20;
/** For one command, or to connect: on a busy machine a collection of all isolates takes seconds. */
const answerMsMax = 60_000;

export interface Heap {
  /** Collects the garbage of every isolate; what is left in all of them together, buffers and host objects included. */
  keptMib(): Promise<number>;
  close(): void;
}

interface Usage {
  readonly usedSize: number;
  readonly embedderHeapUsedSize: number;
  readonly backingStorageSize: number;
}

/** Attaches to the isolates of a gateway that was started with `inspected`. Its objects live in the first of them. */
export async function inspectHeap(gateway: Gateway): Promise<Heap> {
  const { host } = await gateway.inspectorUrl();
  const listed = (await (
    await fetch(`http://${host}/json/list`, { signal: AbortSignal.timeout(answerMsMax) })
  ).json()) as { webSocketDebuggerUrl: string }[];
  const own = listed
    .map(({ webSocketDebuggerUrl }) => webSocketDebuggerUrl)
    .filter((url) => url.includes("/core:user:"));
  if (own.length !== gateway.urls.length) throw new Error(`the inspector lists ${own.length} isolates`);
  const isolates = await Promise.all(own.map(connect));
  return {
    async keptMib() {
      const usages = isolates.map(async ({ call }) => {
        await call("HeapProfiler.collectGarbage");
        return (await call("Runtime.getHeapUsage")) as Usage;
      });
      const sizes = (await Promise.all(usages)).map(
        ({ usedSize, embedderHeapUsedSize, backingStorageSize }) =>
          usedSize + embedderHeapUsedSize + backingStorageSize,
      );
      return sizes.reduce((sum, size) => sum + size, 0) / mib;
    },
    close() {
      for (const { close } of isolates) close();
    },
  };
}

interface Session {
  /** One command of the DevTools protocol; its result. Rejects when the connection ends first, or after a minute. */
  call(method: string): Promise<unknown>;
  close(): void;
}

async function connect(url: string): Promise<Session> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    // What has no number is an event, which nobody waits for.
    if (id !== undefined) waiting.get(id)?.resolve(result);
  });
  socket.addEventListener("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("the inspector has gone"));
  });
  const opened = Promise.withResolvers<unknown>();
  socket.addEventListener("open", opened.resolve);
  socket.addEventListener("error", opened.reject);
  await inTime(opened);
  return {
    async call(method) {
      const id = ++last;
      const answered = Promise.withResolvers<unknown>();
      waiting.set(id, answered);
      socket.send(JSON.stringify({ id, method }));
      return inTime(answered).finally(() => waiting.delete(id));
    },
    close: () => socket.close(),
  };
}

async function inTime(awaited: PromiseWithResolvers<unknown>): Promise<unknown> {
  const timer = setTimeout(() => awaited.reject(new Error("the inspector does not answer")), answerMsMax);
  return awaited.promise.finally(() => clearTimeout(timer));
}
