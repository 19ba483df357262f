/** Several ordinary HTTP origins whose behaviour can be changed while they run, and what each of them was asked. */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** A request as an origin got it. */
export interface Asked {
  /** When its header section came, in milliseconds of `performance.now()`. */
  readonly atMs: number;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** What came of its body so far. */
  readonly body: Buffer;
  /** The connection ended before the answer did. */
  readonly isGivenUp: boolean;
}

/** How an origin answers. */
export interface Behaviour {
  /** 200 if left out. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The origin's id if left out. */
  readonly body?: string;
  /** Time between a request and the head of its answer, drawn anew for each if it is a function; 0 if left out. */
  readonly delayMs?: number | (() => number);
  /** Time between the head of the answer and its body; 0 if left out. */
  readonly bodyDelayMs?: number;
  /** The answer waits for the request's header section only, not for its body; false if left out. */
  readonly isEarly?: boolean;
  /** Instead of an answer: the connection is closed, or nothing ever comes. */
  readonly fails?: "closes" | "hangs";
}

/** One origin. It has the same URL for as long as it lives, whether it listens or not. */
export interface FarmOrigin {
  readonly id: string;
  readonly url: string;
  /** Every request since `clear`, in order of arrival. */
  readonly asked: readonly Asked[];
  /** Most requests that were under way at once since `clear`, from the head to the end of the answer. */
  readonly mostAtOnce: number;
  /** From the next request on, on that path only if given, else on all; `{}` is an origin that answers 200 with its id. */
  behave(behaviour: Behaviour, path?: string): void;
  /** Forgets what was asked. */
  clear(): void;
  /** Closes the port and cuts every connection, as when a process dies: connections are refused from now on. */
  kill(): Promise<void>;
  /** Listens again on the same port. */
  start(): Promise<void>;
}

/** Some origins. */
export interface Farm {
  readonly origins: readonly FarmOrigin[];
  /** Most requests that were under way at once at all origins together since `reset`. */
  readonly mostAtOnce: number;
  /** All of them are up, answer 200 and have forgotten everything. */
  reset(): Promise<void>;
  dispose(): Promise<void>;
}

/** Counts what is under way at once. */
interface Meter {
  now: number;
  most: number;
}

/** Starts `count` origins on free ports of 127.0.0.1: `o0`, `o1`, ... */
export async function startFarm(count: number): Promise<Farm> {
  const whole: Meter = { now: 0, most: 0 };
  const origins = await Promise.all(Array.from({ length: count }, (_, index) => startFarmOrigin(`o${index}`, whole)));
  return {
    origins,
    get mostAtOnce() {
      return whole.most;
    },
    async reset() {
      for (const origin of origins) {
        await origin.start();
        origin.behave({});
        origin.clear();
      }
      whole.most = whole.now;
    },
    async dispose() {
      await Promise.all(origins.map((origin) => origin.kill()));
    },
  };
}

async function startFarmOrigin(id: string, whole: Meter): Promise<FarmOrigin> {
  const own: Meter = { now: 0, most: 0 };
  let behaviour: Behaviour = {};
  const onPaths = new Map<string, Behaviour>();
  let asked: Asked[] = [];
  const listen = async (port: number): Promise<Server> => {
    // Connections stay open for as long as the gateway likes: one that is closed under it is a test of its own.
    const server = createServer({ keepAliveTimeout: 0, noDelay: true }, (request, response) => {
      const how = onPaths.get(request.url ?? "") ?? behaviour;
      asked.push(serve(request, response, { body: id, ...how }, [own, whole]));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(port, "127.0.0.1", resolve);
    });
    return server;
  };
  let server: Server | null = await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    id,
    url: `http://127.0.0.1:${port}`,
    get asked() {
      return asked;
    },
    get mostAtOnce() {
      return own.most;
    },
    behave(next, path) {
      if (path !== undefined) return void onPaths.set(path, next);
      behaviour = next;
      onPaths.clear();
    },
    clear() {
      asked = [];
      own.most = own.now;
    },
    async kill() {
      const dying = server;
      server = null;
      if (dying === null) return;
      await new Promise<void>((resolve) => {
        dying.close(() => resolve());
        dying.closeAllConnections();
      });
    },
    async start() {
      server ??= await listen(port);
    },
  };
}

/** Answers a request, and notes it. */
function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { status = 200, headers = {}, body = "", delayMs = 0, bodyDelayMs = 0, isEarly = false, fails }: Behaviour,
  meters: readonly Meter[],
): Asked {
  const pieces: Buffer[] = [];
  let isGivenUp = false;
  request.on("data", (piece: Buffer) => pieces.push(piece)).on("error", () => {});
  for (const meter of meters) meter.most = Math.max(meter.most, ++meter.now);
  response.on("close", () => {
    isGivenUp = !response.writableFinished;
    for (const meter of meters) meter.now--;
  });
  const answer = () => {
    if (fails === "closes") return request.socket.destroy();
    response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers });
    if (bodyDelayMs === 0) return response.end(body);
    response.flushHeaders();
    return setTimeout(() => response.end(body), bodyDelayMs);
  };
  const waitMs = typeof delayMs === "number" ? delayMs : delayMs();
  const answerInTime = () => (waitMs > 0 ? setTimeout(answer, waitMs) : answer());
  if (fails !== "hangs" && isEarly) answerInTime();
  else if (fails !== "hangs") request.on("end", answerInTime);
  const { method = "", url: target = "" } = request;
  return {
    atMs: performance.now(),
    method,
    target,
    headers: request.headers,
    get body() {
      return Buffer.concat(pieces);
    },
    get isGivenUp() {
      return isGivenUp;
    },
  };
}
