/** What nobody caught in a Worker: exceptions, and rejections, of which the runtime's log says nothing. Objects use no `waitUntil`. */

/** Told of: what nobody caught, and what `waitUntil` was given and fails, which only a tail would show. */
const entry = `
import worker from "./index.js";
const tell = (what, error) => console.error(what + ": " + (error?.stack ?? error));
addEventListener("unhandledrejection", ({ reason }) => tell("Unhandled rejection", reason));
addEventListener("error", ({ error, message }) => tell("Uncaught error", error ?? message));
function watched(ctx) {
  const waitUntil = ctx.waitUntil.bind(ctx);
  ctx.waitUntil = (task) => waitUntil(Promise.resolve(task).catch((error) => tell("Uncaught in waitUntil", error)));
  return ctx;
}
export * from "./index.js";
export default { ...worker, fetch: (request, env, ctx) => worker.fetch(request, env, watched(ctx)) };
`;

const moduleOf = (path: string, contents: string) => ({ type: "ESModule" as const, path, contents });

/** Modules of a Worker, the bundle as it is deployed behind one that writes into the log what nobody caught. */
export const watchedModules = (bundle: string) => [moduleOf("entry.js", entry), moduleOf("index.js", bundle)];

/** Those of a log's messages that tell of it. */
export const uncaughtIn = (messages: readonly string[]): string[] =>
  messages.filter((message) => /uncaught|unhandled/i.test(message));
