/** The check that nothing was thrown that nobody caught can fail: it is shown Workers that do. */
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { expect, it } from "vitest";
import { uncaughtIn, watchedModules } from "../support/uncaught.ts";

it.each([
  ["a rejection that nobody handles", 'void Promise.reject(new Error("planted"));', /Unhandled rejection: .*planted/],
  ["an exception of a task", 'queueMicrotask(() => { throw new Error("planted"); });', /Uncaught error: .*planted/],
  [
    "a task that outlives the answer",
    'ctx.waitUntil(Promise.reject(new Error("planted")));',
    /Uncaught in waitUntil: .*planted/,
  ],
  ["an exception of the handler", 'throw new Error("planted");', /Uncaught exception.*planted/],
])("%s is in the log", async (_, fault, told) => {
  const messages: string[] = [];
  const worker = {
    name: "faulty",
    modules: watchedModules(`export default { fetch(_, env, ctx) { ${fault} return new Response("ok"); } };`),
    compatibilityDate: "2026-08-15",
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...{ host: "127.0.0.1", port: 0, cf: false, telemetry: { enabled: false } },
      handleStructuredLogs: ({ message }) => messages.push(message),
      workers: [worker],
    }),
  );
  try {
    const url = await miniflare.unsafeGetDirectURL(worker.name);
    await (await fetch(url)).arrayBuffer();
    await expect.poll(() => uncaughtIn(messages).join("\n"), { timeout: 10_000 }).toMatch(told);
  } finally {
    await miniflare.dispose();
  }
});
