/** Time and memory of one operation of the core. */

/** Something to measure. */
export interface Case {
  /** Stays from one version to the next: figures are compared by it. */
  readonly name: string;
  /** The operation. It gives something back that depends on its work, so that none of it can be left out. */
  readonly run: (index: number) => unknown;
  /** Steps of one call, where the core counts them. */
  readonly work?: () => number;
}

/** Figures of one case. */
export interface Figures {
  readonly name: string;
  /** Median over the rounds, less the cost of calling an operation that does nothing. */
  readonly ns: number;
  /** Half of the distance between the quartiles of the rounds, as a share of the median. */
  readonly spread: number;
  /** Bytes allocated by one operation. */
  readonly bytes: number;
  readonly work: number | null;
}

const warmUpMs = 60;
const rounds = 15;
const roundMs = 12;
const batch = 256;
/** Few enough that even 3 KiB each do not fill the young generation, which would hide what was allocated. */
const allocationBatch = 2_000;
const allocationRounds = 9;

/** Results end up here: what is kept was computed. */
const kept: unknown[] = new Array(64).fill(null);

/** Not inlined for one case in favour of another: all go through the same loop. */
function loop(run: Case["run"], from: number, count: number): void {
  for (let index = from; index < from + count; index++) kept[index & 63] = run(index);
}

/** Nanoseconds by operation in one round. */
function round(run: Case["run"], forMs: number): number {
  const start = process.hrtime.bigint();
  const end = start + BigInt(forMs) * 1_000_000n;
  let count = 0;
  let now = start;
  while (now < end) {
    loop(run, count, batch);
    count += batch;
    now = process.hrtime.bigint();
  }
  return Number(now - start) / count;
}

function bytesOf(run: Case["run"], collect: () => void): number {
  const found = Array.from({ length: allocationRounds }, (_, round) => {
    collect();
    const before = process.memoryUsage().heapUsed;
    loop(run, round * allocationBatch, allocationBatch);
    return (process.memoryUsage().heapUsed - before) / allocationBatch;
  });
  return Math.max(0, quantile(found, 0.5));
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)]!;
}

/** Measures one case. `collect` collects garbage; `emptyNs` is what the loop itself costs. */
export function measure({ name, run, work }: Case, collect: () => void, emptyNs = 0): Figures {
  round(run, warmUpMs);
  const found = Array.from({ length: rounds }, () => round(run, roundMs));
  const ns = quantile(found, 0.5);
  const spread = (quantile(found, 0.75) - quantile(found, 0.25)) / 2 / ns;
  return { name, ns: Math.max(0, ns - emptyNs), spread, bytes: bytesOf(run, collect), work: work?.() ?? null };
}
