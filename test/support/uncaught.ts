/** What nobody caught in a Worker: exceptions, and rejections, of which the runtime's log says nothing. */

/** `export *` leaves the default out. */
const entry = `
addEventListener("unhandledrejection", ({ reason }) => console.error("Unhandled rejection: " + (reason?.stack ?? reason)));
addEventListener("error", ({ error, message }) => console.error("Uncaught error: " + (error?.stack ?? message)));
export * from "./index.js";
export { default } from "./index.js";
`;

const moduleOf = (path: string, contents: string) => ({ type: "ESModule" as const, path, contents });

/** Modules of a Worker, the bundle as it is deployed behind one that writes into the log what nobody caught. */
export const watchedModules = (bundle: string) => [moduleOf("entry.js", entry), moduleOf("index.js", bundle)];

/** Those of a log's messages that tell of it. */
export const uncaughtIn = (messages: readonly string[]): string[] =>
  messages.filter((message) => /uncaught|unhandled/i.test(message));
