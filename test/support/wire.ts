/**
 * HTTP/1.1 as bytes on a socket, for both ends of the gateway: nothing is normalised, merged, added or hidden, as a library
 * for HTTP would.
 */
import type { Socket } from "node:net";

/** A header section, in the order and spelling of the wire. Values are Latin-1: one character is one byte. */
export interface Head {
  /** The request line or the status line, without its end. */
  readonly startLine: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** How the end of a body is told: by Content-Length, by the last chunk, by the end of the connection; or there is none. */
export type Framing = "length" | "chunked" | "close" | "none";

/** The connection ended before what was expected had come. */
export class Truncated extends Error {}

/** Values of a header, by its name in lower case, each line apart. */
export function valuesOf(head: Pick<Head, "headers">, name: string): string[] {
  return head.headers.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
}

/** The one value of a header; null when absent; throws when it is there twice. */
export function headerOf(head: Pick<Head, "headers">, name: string): string | null {
  const values = valuesOf(head, name);
  if (values.length > 1) throw new Error(`${name} is there ${values.length} times: ${values.join(" | ")}`);
  return values[0] ?? null;
}

/** What a socket receives, read by length or up to a mark. Everything received is kept in `log`. */
export class Wire {
  readonly socket: Socket;
  readonly log: Buffer[] = [];
  /** The error that ended the connection, for example a reset; null as long as there was none. */
  error: Error | null = null;
  #pending: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (data: Buffer) => {
      this.log.push(data);
      this.#pending = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data]);
      this.#wake?.();
    });
    socket.on("error", (error) => {
      this.error = error;
    });
    const end = () => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on("end", end);
    socket.on("close", end);
  }

  /** No more bytes will come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Everything received so far. */
  get received(): Buffer {
    return Buffer.concat(this.log);
  }

  /** Writes, and waits until the kernel has taken it. Never rejects: a peer that is gone shows when reading. */
  write(bytes: string | Uint8Array): Promise<void> {
    const data = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    return new Promise((resolve) => this.socket.write(data, () => resolve()));
  }

  /** The next bytes, as many as there are, at most `max`; null at the end of the connection. */
  async some(max = Number.POSITIVE_INFINITY): Promise<Buffer | null> {
    while (this.#pending.length === 0) {
      if (this.#ended) return null;
      await this.#more();
    }
    return this.#take(Math.min(max, this.#pending.length));
  }

  /** Exactly `count` bytes. */
  async exactly(count: number): Promise<Buffer> {
    while (this.#pending.length < count) {
      if (this.#ended) throw new Truncated(`${this.#pending.length} of ${count} bytes`);
      await this.#more();
    }
    return this.#take(count);
  }

  /** Up to and without `mark`, which is consumed. */
  async until(mark: string): Promise<Buffer> {
    for (;;) {
      const at = this.#pending.indexOf(mark);
      if (at !== -1) {
        const found = this.#take(at);
        this.#take(mark.length);
        return found;
      }
      if (this.#ended) throw new Truncated(`no ${JSON.stringify(mark)} after ${this.#pending.length} bytes`);
      await this.#more();
    }
  }

  async head(): Promise<Head> {
    const [startLine = "", ...lines] = (await this.until("\r\n\r\n")).toString("latin1").split("\r\n");
    const headers = lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
    });
    return { startLine, headers };
  }

  /** A body, piece by piece as it arrives. Throws Truncated when it does not end as its framing says. */
  async *body(framing: Framing, length: number): AsyncGenerator<Buffer, void> {
    switch (framing) {
      case "none":
        return;
      case "length":
        for (let left = length; left > 0; ) {
          const piece = await this.some(left);
          if (!piece) throw new Truncated(`${left} of ${length} bytes are missing`);
          left -= piece.length;
          yield piece;
        }
        return;
      case "chunked":
        for (;;) {
          const size = Number.parseInt((await this.until("\r\n")).toString("latin1"), 16);
          if (size > 0) yield await this.exactly(size);
          await this.until("\r\n");
          if (size === 0) return;
        }
      case "close":
        for (let piece = await this.some(); piece; piece = await this.some()) yield piece;
        if (this.error) throw new Truncated(String(this.error));
    }
  }

  /** Settles when the peer has closed or reset the connection. */
  async closed(): Promise<void> {
    while (!this.#ended) {
      this.#take(this.#pending.length);
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }

  #take(count: number): Buffer {
    const taken = this.#pending.subarray(0, count);
    this.#pending = this.#pending.subarray(count);
    return taken;
  }
}

/** Framing that a header section announces. `otherwise` is what it means when it announces nothing. */
export function framingOf(head: Head, otherwise: "close" | "none"): { framing: Framing; length: number } {
  if (valuesOf(head, "transfer-encoding").some((value) => /\bchunked\b/i.test(value)))
    return { framing: "chunked", length: 0 };
  const length = headerOf(head, "content-length");
  if (length !== null) return { framing: "length", length: Number(length) };
  return { framing: otherwise, length: 0 };
}

/** One chunk of a chunked body; without an argument the last one. */
export function chunk(bytes: string | Uint8Array = ""): Buffer {
  const data = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Buffer.from(bytes);
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from("\r\n")]);
}

/** A header section as bytes. */
export function headText(startLine: string, headers: readonly (readonly [string, string])[]): string {
  return `${[startLine, ...headers.map(([name, value]) => `${name}: ${value}`)].join("\r\n")}\r\n\r\n`;
}
