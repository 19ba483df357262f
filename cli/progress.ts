/** Tells a terminal that something takes its time. */
import type { Io } from "./io.ts";
import { limits } from "./limits.ts";

const clearLine = "\r\u001b[2K";

/** Waits for the work. After a moment a terminal shows `what` with the seconds so far, until the work ends. */
export async function withProgress<T>({ stderr }: Io, what: string, work: Promise<T>): Promise<T> {
  if (stderr.isTTY !== true) return work;
  const startMs = performance.now();
  let isShown = false;
  const timer = setInterval(() => {
    const ms = performance.now() - startMs;
    if (ms < limits.progressAfterMs) return;
    stderr.write(`${clearLine}${what} ... ${Math.round(ms / 1_000)} s`);
    isShown = true;
  }, limits.progressMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    if (isShown) stderr.write(clearLine);
  }
}
