/** A run of the CLI in this process, and a server that answers as it is told. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import type { Io } from "../../../cli/io.ts";
import { main } from "../../../cli/sluice.ts";

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** All three streams are a terminal. Default false. */
  readonly isTerminal?: boolean;
  readonly stopping?: AbortSignal;
}

/** A world whose output is kept. */
export function fakeIo({ env = {}, input = "", isTerminal = false, stopping }: RunOptions = {}) {
  const output = { stdout: "", stderr: "" };
  const writer = (name: "stdout" | "stderr") => ({
    write: (text: string) => {
      output[name] += text;
    },
    ...(isTerminal && { isTTY: true, columns: 100, rows: 12 }),
  });
  const io: Io = {
    env,
    stdin: Object.assign(Readable.from(input === "" ? [] : [Buffer.from(input)]), isTerminal && { isTTY: true }),
    stdout: writer("stdout"),
    stderr: writer("stderr"),
    stopSignal: () => stopping ?? new AbortController().signal,
  };
  return { io, output };
}

/** Runs `sluice <args>` to its end. */
export async function run(args: readonly string[], options: RunOptions = {}) {
  const { io, output } = fakeIo(options);
  const code = await main(args, io);
  return { code, ...output };
}

export interface Asked {
  readonly method: string;
  /** Below `/_sluice`, with the query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
  /** The connection is cut instead. */
  readonly isCut?: boolean;
}

export interface FakeGateway {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** What the CLI is to know of it. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** A server that answers each call as `reply` says. */
export async function fakeGateway(
  reply: (asked: Asked, index: number) => Reply | Promise<Reply>,
): Promise<FakeGateway> {
  const asked: Asked[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const path = (request.url ?? "").replace(/^\/_sluice/, "");
    const call = { method: request.method ?? "", path, headers: request.headers, body };
    asked.push(call);
    const { status = 200, headers = {}, body: content = {}, isCut } = await reply(call, asked.length - 1);
    if (isCut) return void request.socket.destroy();
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof content === "string" ? content : JSON.stringify(content));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    env: { SLUICE_URL: url, SLUICE_TOKEN: "secret" },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A refusal as the gateway writes it. */
export function problem(status: number, code: string, members: object = {}): Reply {
  const body = {
    type: `urn:sluice:error:${code}`,
    title: code,
    status,
    detail: `It is ${code}.`,
    code,
    requestId: "r1",
  };
  return { status, body: { ...body, ...members } };
}

/** A document in force. */
export function document(revision: number, value: unknown): Reply {
  return { headers: { etag: `"${revision}"` }, body: value };
}
