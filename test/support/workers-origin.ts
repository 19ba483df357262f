/** Starts the origin that tests inside workerd call, and tells them where it is. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";

/** Answers with what it got, as JSON; `/status/<n>` with that status, `/late/<ms>` so much later. */
export default async function setup({ provide }: TestProject): Promise<() => void> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method, url = "", headers } = request;
      const [, status] = /^\/status\/(\d+)/.exec(url) ?? [];
      const [, lateMs] = /^\/late\/(\d+)/.exec(url) ?? [];
      const body = JSON.stringify({ method, url, headers, body: Buffer.concat(parts).toString() });
      setTimeout(
        () => {
          response.writeHead(Number(status ?? 200), {
            "content-type": "application/json",
            "sluice-error": "forged",
            "access-control-allow-origin": "https://forged.example.com",
          });
          response.end(body);
        },
        Number(lateMs ?? 0),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  provide("originUrl", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return () => {
    server.closeAllConnections();
    server.close();
  };
}
