/**
 * What workerd asks for `caches`: GET to look up (`cf-cache-status` says whether it was found), PUT to store a response that
 * is the body, written as HTTP, and PURGE to delete. `cf-cache-namespace` names a cache other than the default one.
 * Enough for texts with `max-age`; kept in this isolate.
 */
interface Entry {
  readonly headers: Headers;
  readonly body: string;
  readonly untilMs: number;
}

const entries = new Map<string, Entry>();

export default {
  async fetch(request) {
    const key = `${request.headers.get("cf-cache-namespace") ?? ""} ${request.url}`;
    if (request.method === "PUT") {
      entries.set(key, parse(await request.text()));
      return new Response(null, { status: 204 });
    }
    if (request.method === "PURGE") return new Response(null, { status: entries.delete(key) ? 200 : 404 });
    const entry = entries.get(key);
    if (entry === undefined || entry.untilMs <= Date.now()) {
      return new Response(null, { status: 504, headers: { "cf-cache-status": "MISS" } });
    }
    const headers = new Headers(entry.headers);
    headers.set("cf-cache-status", "HIT");
    return new Response(entry.body, { headers });
  },
} satisfies ExportedHandler;

function parse(message: string): Entry {
  const end = message.indexOf("\r\n\r\n");
  const [, ...lines] = message.slice(0, end).split("\r\n");
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim());
  headers.delete("transfer-encoding");
  const seconds = Number(/max-age=(\d+)/.exec(headers.get("cache-control") ?? "")?.[1] ?? 0);
  return { headers, body: message.slice(end + 4), untilMs: Date.now() + seconds * 1_000 };
}
