/** An origin that reads to the letter, and keeps what is wrong with what it got. */
import { type AddressInfo, createServer, type Socket } from "node:net";

/** A request as it came. */
export interface Seen {
  readonly requestLine: string;
  readonly method: string;
  readonly target: string;
  /** In the order of the wire; names in lower case, values without the spaces around them, in Latin-1. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface StrictOrigin {
  readonly port: number;
  /** Requests since the last `take`, and what no HTTP server should be sent. */
  take(): { readonly seen: Seen[]; readonly malformed: string[] };
  stop(): Promise<void>;
}

/** Answers everything with 200 and `ok`. */
export async function startStrictOrigin(): Promise<StrictOrigin> {
  let seen: Seen[] = [];
  let malformed: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const reader = new RequestReader((request) => {
      seen.push(request);
      socket.write(request.method === "HEAD" ? emptyAnswer : okAnswer);
    });
    socket.on("data", (data: Buffer) => {
      const problem = reader.push(data);
      if (problem === null) return;
      malformed.push(problem);
      socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = { seen, malformed };
      [seen, malformed] = [[], []];
      return taken;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const emptyAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const requestLine = /^([A-Z]+) (\/[\x21-\x7e]*) HTTP\/1\.1$/;
// RFC 9110 5.5: a recipient may keep other control characters than these three, and workerd does.
const headerLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\0\r\n]*?)[ \t]*$/;

/** Takes requests out of a stream. */
export class RequestReader {
  readonly #onRequest: (request: Seen) => void;
  #text = "";

  constructor(onRequest: (request: Seen) => void) {
    this.#onRequest = onRequest;
  }

  /** What is not HTTP; null as long as all is. */
  push(data: Buffer): string | null {
    this.#text += data.toString("latin1");
    for (;;) {
      const end = this.#text.indexOf("\r\n\r\n");
      if (end < 0) return null;
      const request = parsed(this.#text.slice(0, end));
      if (typeof request === "string") return request;
      const length = lengthOf(request.headers, this.#text, end + 4);
      if (typeof length === "string") return length;
      if (length === null) return null;
      this.#text = this.#text.slice(end + 4 + length);
      this.#onRequest(request);
    }
  }
}

function parsed(head: string): Seen | string {
  const [first = "", ...lines] = head.split("\r\n");
  const [, method, target] = requestLine.exec(first) ?? [];
  if (method === undefined || target === undefined)
    return `origin: the request line ${JSON.stringify(first.slice(0, 200))}`;
  const headers: [string, string][] = [];
  for (const line of lines) {
    const [, name, value] = headerLine.exec(line) ?? [];
    if (name === undefined || value === undefined)
      return `origin: the header line ${JSON.stringify(line.slice(0, 200))}`;
    headers.push([name.toLowerCase(), value]);
  }
  return { requestLine: first, method, target, headers };
}

/** Length of a body with its framing; null: more has to come; a text: what is wrong with it. */
function lengthOf(headers: Seen["headers"], text: string, from: number): number | null | string {
  const lengths = headers.filter(([name]) => name === "content-length");
  const codings = headers.filter(([name]) => name === "transfer-encoding");
  if (lengths.length + codings.length > 1) return "smuggling: more than one length of a body";
  if (codings.length === 1) {
    if (codings[0]![1].toLowerCase() !== "chunked") return `smuggling: transfer-encoding ${codings[0]![1]}`;
    return chunkedLength(text, from);
  }
  if (lengths.length === 0) return 0;
  if (!/^\d{1,15}$/.test(lengths[0]![1])) return `smuggling: content-length ${lengths[0]![1]}`;
  const length = Number(lengths[0]![1]);
  return text.length - from >= length ? length : null;
}

function chunkedLength(text: string, from: number): number | null | string {
  for (let at = from; ; ) {
    const end = text.indexOf("\r\n", at);
    if (end < 0) return null;
    const size = text.slice(at, end);
    if (!/^[0-9a-f]{1,8}$/i.test(size)) return `smuggling: the chunk size ${JSON.stringify(size.slice(0, 50))}`;
    const next = end + 2 + Number.parseInt(size, 16);
    if (text.length < next + 2) return null;
    if (text.slice(next, next + 2) !== "\r\n") return "smuggling: a chunk that is longer than its size";
    if (Number.parseInt(size, 16) === 0) return next + 2 - from;
    at = next + 2;
  }
}
