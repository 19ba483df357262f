/** A simulated origin: a queue before `servers` workers, and isolates that send it requests at random. Seeded. */
import { type Gradient, gradientAdmits, newGradient, noteSample } from "../../../../src/core/breaking/gradient.ts";
import type { GradientSettings } from "../../../../src/core/breaking/types.ts";

export interface Phase {
  readonly durationMs: number;
  readonly servers: number;
  /** Mean of the exponentially distributed time of service. */
  readonly serviceMs: number;
  /** Of all isolates together. */
  readonly requestsPerSecond: number;
  /** Share of requests that fail at once. */
  readonly failureShare?: number;
}

export interface PhaseResult {
  /** Of the second half of the phase. */
  readonly latencyMs: number;
  readonly worstMs: number;
  readonly servedPerSecond: number;
  readonly refusedShare: number;
  /** Mean of the isolates' limits, and the sum. */
  readonly limit: number;
}

export interface Isolate {
  readonly state: Gradient;
  inFlight: number;
}

interface Job {
  readonly isolate: Isolate;
  readonly beganMs: number;
}

/** Runs the phases one after the other; without `settings` everything is admitted. */
export function runQueue(
  settings: GradientSettings | null,
  phases: readonly Phase[],
  random: () => number,
  isolateCount = 1,
): PhaseResult[] {
  const exponential = (meanMs: number) => -Math.log(1 - random()) * meanMs;
  const isolates: Isolate[] = Array.from({ length: isolateCount }, () => ({ state: newGradient(0), inFlight: 0 }));
  const queue: Job[] = [];
  let busy: { job: Job; endMs: number }[] = [];
  let nowMs = 0;
  let endMs = 0;
  return phases.map((phase) => {
    const middleMs = endMs + phase.durationMs / 2;
    endMs += phase.durationMs;
    let [arrived, refused, served, sumMs, worstMs, limits, readings] = [0, 0, 0, 0, 0, 0, 0];
    let nextMs = nowMs + exponential(1_000 / phase.requestsPerSecond);
    const finish = ({ isolate, beganMs }: Job, isDropped: boolean) => {
      const latencyMs = nowMs - beganMs;
      if (settings) noteSample(isolate.state, settings, latencyMs, isolate.inFlight, isDropped, nowMs);
      isolate.inFlight -= 1;
      if (nowMs < middleMs || isDropped) return;
      served += 1;
      sumMs += latencyMs;
      worstMs = Math.max(worstMs, latencyMs);
    };
    for (;;) {
      const first = busy.reduce<(typeof busy)[number] | null>((a, b) => (a && a.endMs <= b.endMs ? a : b), null);
      nowMs = Math.min(nextMs, first?.endMs ?? nextMs);
      if (nowMs >= endMs) break;
      if (first && nowMs === first.endMs) {
        busy = busy.filter((one) => one !== first);
        finish(first.job, false);
      } else {
        nextMs = nowMs + exponential(1_000 / phase.requestsPerSecond);
        const isolate = isolates[Math.floor(random() * isolateCount)]!;
        if (nowMs >= middleMs) {
          arrived += 1;
          limits += isolate.state.limit;
          readings += 1;
        }
        if (settings && !gradientAdmits(isolate.state, settings, isolate.inFlight)) {
          if (nowMs >= middleMs) refused += 1;
        } else {
          isolate.inFlight += 1;
          const job = { isolate, beganMs: nowMs };
          if (random() < (phase.failureShare ?? 0)) finish(job, true);
          else queue.push(job);
        }
      }
      while (queue.length > 0 && busy.length < phase.servers) {
        busy.push({ job: queue.shift()!, endMs: nowMs + exponential(phase.serviceMs) });
      }
    }
    const seconds = phase.durationMs / 2_000;
    return {
      latencyMs: sumMs / served,
      worstMs,
      servedPerSecond: served / seconds,
      refusedShare: refused / arrived,
      limit: limits / readings,
    };
  });
}
