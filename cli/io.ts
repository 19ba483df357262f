/** What a run of the CLI has of the world, so that tests can give it another one. */
import type { Readable } from "node:stream";

/** Standard output or error. `columns` and `rows` are those of a terminal. */
export interface Writer {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writer;
  readonly stderr: Writer;
  /** Aborted by the first SIGINT or SIGTERM from now on, which then do not end the process; a second one does. */
  stopSignal(): AbortSignal;
}

/** The world of this process. */
export function processIo(): Io {
  return {
    env: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    stopSignal: () => {
      const controller = new AbortController();
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => controller.abort());
      return controller.signal;
    },
  };
}
