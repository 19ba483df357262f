/** The only file of this folder that reads: files and standard input. */
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { limits } from "./limits.ts";
import type { Source } from "./place.ts";

/** Reads a text, or says why it cannot. */
export type ReadSource = (path: string) => Promise<Source | string>;

/** Name of the standard input among paths, and for people. */
export const stdinPath = "-";
const stdinName = "stdin";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "this is a folder, not a file",
  EACCES: "may not be read",
  ERR_ENCODING_INVALID_ENCODED_DATA: "not UTF-8 text",
};

/** Reads a file, or standard input for `-`: UTF-8, without its byte order mark, at most `limits.fileBytesMax`. */
export async function readSource(path: string, stdin: Readable = process.stdin): Promise<Source | string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    const stream = path === stdinPath ? stdin : createReadStream(path);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limits.fileBytesMax) return `larger than ${limits.fileBytesMax} bytes`;
      chunks.push(chunk);
    }
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
    return { name: path === stdinPath ? stdinName : path, text };
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    return reasons[code] ?? message;
  }
}
