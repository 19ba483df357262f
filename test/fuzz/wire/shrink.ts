/** Makes a failing input small, and printable. */

/** Most inputs that are tried for one finding. */
const triesMax = 300;
/** Longest input that is printed, in characters; the rest is left out. */
const shownMax = 2_000;

/**
 * The smallest input found that still fails: parts of it are left out, ever smaller ones (Zeller, "Yesterday, my program
 * worked", 1999, with complements only).
 */
export async function shrunk(input: Buffer, fails: (candidate: Buffer) => Promise<boolean>): Promise<Buffer> {
  let best = input;
  let tries = 0;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length && tries < triesMax; ) {
      const candidate = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      tries++;
      if (await fails(candidate)) best = candidate;
      else at += size;
    }
  }
  return best;
}

/** An input as a string literal of Latin-1; long runs of one character are told by their length. */
export function shown(input: Buffer): string {
  const text = input.toString("latin1").replace(/([^\\])\1{63,}/gs, (run, one) => `${one}<${run.length} times>`);
  const escaped = JSON.stringify(text).replace(
    /[\x7f-\xff]/g,
    (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return escaped.length > shownMax ? `${escaped.slice(0, shownMax)}…` : escaped;
}
