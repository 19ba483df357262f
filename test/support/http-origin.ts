/** An ordinary HTTP origin that says who it is and when it was asked. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface HttpOrigin {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** When each request came, in milliseconds of the machine's clock. */
  readonly timesMs: readonly number[];
  close(): Promise<void>;
}

/** Starts an origin that answers every request with its name. */
export async function startHttpOrigin(name: string): Promise<HttpOrigin> {
  const timesMs: number[] = [];
  const server = createServer((request, response) => {
    timesMs.push(Date.now());
    request.resume();
    response.end(name);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    timesMs,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
