/** An origin as a process of its own: `node origin-process.ts <port>` (0: any), told by its parent how to answer. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** How it answers from the next request on. */
export interface Manner {
  /** Time before the answer. */
  readonly delayMs: number;
  /** Half of the body is sent, then the connection is reset. */
  readonly isCut: boolean;
}

export const bodyBytes = 16_384;
const half = Buffer.alloc(bodyBytes / 2, "x");
let manner: Manner = { delayMs: 0, isCut: false };

const server = createServer({ keepAliveTimeout: 0, noDelay: true }, (request, response) => {
  const { delayMs, isCut } = manner;
  request.resume().on("end", () => {
    setTimeout(() => {
      response.writeHead(200, { "content-length": bodyBytes });
      if (!isCut) return response.end(Buffer.concat([half, half]));
      return response.write(half, () => request.socket.resetAndDestroy());
    }, delayMs);
  });
});
process.on("message", (next: Manner) => {
  manner = next;
  process.send?.("taken");
});
// Nobody is left to tell it anything.
process.on("disconnect", () => process.exit());
server.listen(Number(process.argv[2]), "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
