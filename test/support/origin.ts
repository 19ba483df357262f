/** Origins that are scripted down to the byte, and that keep every byte they receive. */
import { type AddressInfo, createServer } from "node:net";
import { type Framing, framingOf, type Head, headText, Wire } from "./wire.ts";

/** A request as it came over the wire, and the connection to answer on. */
export interface Incoming extends Head {
  readonly method: string;
  /** Path and query as on the request line. */
  readonly target: string;
  readonly framing: Framing;
  /** Which connection it came on, counted from 0. */
  readonly connection: number;
  readonly wire: Wire;
  /** The pieces of the body as they arrive. To be used once, instead of `body`. */
  pieces(): AsyncGenerator<Buffer, void>;
  /** The whole body. Throws Truncated when the connection ends before it does. */
  body(): Promise<Buffer>;
  /** Answers with a header section alone. */
  head(status: string, headers: readonly (readonly [string, string])[]): Promise<void>;
  /** Answers with a body of known length. `status` is what stands after `HTTP/1.1 `. */
  reply(status: string, headers: readonly (readonly [string, string])[], body?: string | Uint8Array): Promise<void>;
  /** Ends the connection with a TCP reset. */
  reset(): void;
}

export type Script = (request: Incoming) => void | Promise<void>;

/** Answers on a new connection; on one that has answered before, closes it when a request comes. */
export function closesUsed(): Script {
  const used = new Set<number>();
  return async (request) => {
    await request.body();
    if (used.has(request.connection)) return request.reset();
    used.add(request.connection);
    await request.reply("200 OK", []);
  };
}

/** A running origin. */
export interface Origin {
  readonly url: string;
  readonly port: number;
  /** Every request so far, in order of arrival. */
  readonly requests: readonly Incoming[];
  /** Every connection so far, in order of arrival. */
  readonly connections: readonly Wire[];
  /** The only request since the last call of `clear`; throws when there is none or more than one. */
  only(): Incoming;
  /** Forgets the requests so far, and answers by `script` from now on. */
  clear(script?: Script): void;
  dispose(): Promise<void>;
}

/** Answers 200 with an empty body. */
const ok: Script = async (request) => {
  await request.body();
  await request.reply("200 OK", []);
};

/** Starts an origin on a free port of 127.0.0.1. An error thrown by a script resets the connection. */
export async function startOrigin(first: Script = ok): Promise<Origin> {
  let script = first;
  let requests: Incoming[] = [];
  const connections: Wire[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const wire = new Wire(socket);
    const connection = connections.push(wire) - 1;
    const serve = async () => {
      while (!wire.ended) {
        const request = await read(wire, connection);
        requests.push(request);
        await script(request);
      }
    };
    serve().catch(() => socket.resetAndDestroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    get requests() {
      return requests;
    },
    connections,
    only() {
      const [request] = requests;
      if (!request || requests.length !== 1) throw new Error(`the origin got ${requests.length} requests`);
      return request;
    },
    clear(next = ok) {
      requests = [];
      script = next;
    },
    async dispose() {
      for (const { socket } of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(wire: Wire, connection: number): Promise<Incoming> {
  const head = await wire.head();
  const [method = "", target = ""] = head.startLine.split(" ");
  const { framing, length } = framingOf(head, "none");
  const pieces = wire.body(framing, length);
  let whole: Promise<Buffer> | null = null;
  const answer = async (status: string, headers: readonly (readonly [string, string])[]) => {
    await wire.write(headText(`HTTP/1.1 ${status}`, headers));
  };
  return {
    ...head,
    method,
    target,
    framing,
    connection,
    wire,
    pieces: () => pieces,
    body: () => (whole ??= collect(pieces)),
    head: answer,
    async reply(status, headers, body = "") {
      const bytes = Buffer.from(body as string, "latin1");
      await wire.write(
        Buffer.concat([
          Buffer.from(headText(`HTTP/1.1 ${status}`, [...headers, ["Content-Length", String(bytes.length)]]), "latin1"),
          bytes,
        ]),
      );
    },
    reset: () => void wire.socket.resetAndDestroy(),
  };
}

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
