/** A client that sends exactly the bytes it is told to and shows exactly those that come back. */
import { connect } from "node:net";
import { chunk, type Framing, framingOf, type Head, headText, Truncated, Wire } from "./wire.ts";

export type HeaderLines = readonly (readonly [name: string, value: string])[];

/** What is sent. `Host` is `gateway.test` unless `headers` has one; nothing else is added but what frames `body`. */
export interface Sent {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: HeaderLines;
  /** Sent with Content-Length, or chunked, one chunk for each entry, when it is a list. */
  readonly body?: string | Uint8Array | readonly (string | Uint8Array)[];
}

/** What came back. `complete` is false when the body was cut off. */
export interface Received extends Head {
  readonly status: number;
  readonly statusText: string;
  readonly framing: Framing;
  readonly body: Buffer;
  readonly complete: boolean;
}

/** An open connection to the gateway. */
export interface Connection {
  readonly wire: Wire;
  /** Sends the header section of a request, and the body if there is one. */
  send(sent: Sent): Promise<void>;
  /** The header section of the next answer. */
  head(): Promise<Head & { readonly status: number; readonly statusText: string }>;
  /** The next answer to a request with the method `method`, whole. */
  receive(method?: string): Promise<Received>;
  /** Ends the connection. The other side can't tell that from a client that only has nothing more to say. */
  close(): void;
  /** Ends the connection with a TCP reset. */
  reset(): void;
}

/** Opens a connection to `url` (http). */
export async function open(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const wire = new Wire(socket);
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return {
    wire,
    send: (sent) => send(wire, sent),
    head: async () => withStatus(await wire.head()),
    receive: (method = "GET") => receive(wire, method),
    close: () => void socket.destroy(),
    reset: () => void socket.resetAndDestroy(),
  };
}

/** One request on a connection of its own. */
export async function exchange(url: string, sent: Sent): Promise<Received> {
  const connection = await open(url);
  try {
    // A gateway that answers before it has read everything is no failure of the sending side.
    const [received] = await Promise.all([connection.receive(sent.method), connection.send(sent)]);
    return received;
  } finally {
    connection.close();
  }
}

async function send(wire: Wire, { method = "GET", target = "/", headers = [], body }: Sent): Promise<void> {
  const named = headers.some(([name]) => name.toLowerCase() === "host");
  const lines = [...(named ? [] : [["Host", "gateway.test"] as const]), ...headers];
  const start = `${method} ${target} HTTP/1.1`;
  if (body === undefined) return wire.write(headText(start, lines));
  const whole = typeof body === "string" || body instanceof Uint8Array;
  const bytes = whole ? Buffer.from(body as string, "latin1") : Buffer.concat([...body.map(chunk), chunk()]);
  const framing = whole ? ["Content-Length", String(bytes.length)] : ["Transfer-Encoding", "chunked"];
  const head = headText(start, [...lines, framing as [string, string]]);
  // In one piece: an answer that comes before the body would be lost, as workerd then closes the connection.
  return wire.write(Buffer.concat([Buffer.from(head, "latin1"), bytes]));
}

async function receive(wire: Wire, method: string): Promise<Received> {
  const head = withStatus(await wire.head());
  const bodiless = method === "HEAD" || head.status === 204 || head.status === 304 || head.status < 200;
  const { framing, length } = bodiless ? { framing: "none" as const, length: 0 } : framingOf(head, "close");
  const pieces: Buffer[] = [];
  let complete = true;
  try {
    for await (const piece of wire.body(framing, length)) pieces.push(piece);
  } catch (error) {
    if (!(error instanceof Truncated)) throw error;
    complete = false;
  }
  return { ...head, framing, body: Buffer.concat(pieces), complete };
}

function withStatus(head: Head): Head & { status: number; statusText: string } {
  const [, status, statusText = ""] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(head.startLine) ?? [];
  if (status === undefined) throw new Error(`no status line: ${head.startLine}`);
  return { ...head, status: Number(status), statusText };
}
