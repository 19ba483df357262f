/** Requests to a gateway, many at once on connections that are kept. */
import { tokens } from "../../support/tokens.ts";
import { askAlone, askInTurn, type Reply } from "../wire/client.ts";
import type { Answer } from "./admin-answers.ts";

/** A longer request may end its connection, so it has one of its own: no answer to another is lost with it. */
const sharedBytesMax = 64 * 1024;

/** One request, with the admin token. */
export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly body?: Buffer;
}

/** A request with a value as its body. */
export function sending(method: string, target: string, value: unknown): Asked {
  return { method, target, body: Buffer.from(JSON.stringify(value)) };
}

/** The answers, in the order of the requests; null where the connection ended without one. */
export async function askAll(port: number, asked: readonly Asked[]): Promise<(Answer | null)[]> {
  const inputs = asked.map(bytesOf);
  const isLong = (input: Buffer) => input.length > sharedBytesMax;
  const isShort = (input: Buffer) => !isLong(input);
  const long = await askAlone(port, inputs.filter(isLong));
  const short = await askInTurn(port, inputs.filter(isShort));
  return inputs.map((input) => answerOf((isLong(input) ? long : short).shift()!));
}

function bytesOf({ method, target, body = Buffer.alloc(0) }: Asked): Buffer {
  const head = `${method} ${target} HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer ${tokens.admin}\r\n`;
  return Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`), body]);
}

function answerOf({ answers: [answer] }: Reply): Answer | null {
  if (answer === undefined) return null;
  const headers = answer.head
    .split("\r\n")
    .slice(1)
    .map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
  return { status: answer.status, headers: new Map(headers), text: Buffer.from(answer.body, "latin1").toString() };
}
