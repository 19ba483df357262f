/** Starts the origin that tests inside workerd call, and tells them where it is. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import type { Script, Seen } from "./scripted.ts";

/** Answers with what it got, as JSON; `/status/<n>` with that status, `/late/<ms>` so much later; see also scripted.ts. */
export default async function setup({ provide }: TestProject): Promise<() => void> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method, url = "", headers } = request;
      const text = Buffer.concat(parts).toString();
      if (answerScripted(request, text, response)) return;
      const [, status] = /^\/status\/(\d+)/.exec(url) ?? [];
      const [, lateMs] = /^\/late\/(\d+)/.exec(url) ?? [];
      const body = JSON.stringify({ method, url, headers, body: text });
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

const keys = new Map<string, { readonly script: Script; readonly seen: Seen; atOnce: number }>();

/** Answers what is addressed to a script; false: the request is for something else. */
function answerScripted(
  { method, url = "", headers }: IncomingMessage,
  body: string,
  response: ServerResponse,
): boolean {
  const [, part, key] = /^\/(scripted|seen)\/([^/?]+)/.exec(url) ?? [];
  if (key === undefined) return false;
  if (method === "PUT") {
    keys.set(key, { script: JSON.parse(body) as Script, seen: { requests: [], atOnceMax: 0 }, atOnce: 0 });
  }
  const entry = keys.get(key);
  if (entry === undefined) response.writeHead(404).end();
  else if (part === "seen" || method === "PUT") response.end(JSON.stringify(entry.seen));
  else {
    entry.atOnce++;
    entry.seen.atOnceMax = Math.max(entry.seen.atOnceMax, entry.atOnce);
    entry.seen.requests.push({ url, userAgent: headers["user-agent"], timeMs: Date.now() });
    response.on("close", () => entry.atOnce--);
    const { status = 200, headers: sent = {}, lateMs = 0 } = entry.script;
    setTimeout(() => response.writeHead(status, sent).end("scripted"), lateMs);
  }
  return true;
}
