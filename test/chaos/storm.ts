/** Every fault in turn, under load: what fails is to be blamed on it, and afterwards nothing fails. */
import { setTimeout as wait } from "node:timers/promises";
import { blame, starvedFaults } from "./blame.ts";
import { configOf, echo, kinds, originCount, recoveredMsMax } from "./harmed.ts";
import { startKillable } from "./killable.ts";
import { kinds as faultKinds, type Kind, startOrigins } from "./origins.ts";
import { watchStarving } from "./starved.ts";
import { startTraffic } from "./traffic.ts";

const perSecond = 60;
const isolates = 2;
/** Longer than a try may take. */
const harmedMs = 3_000;
/** Load without a fault, before the first and after each. */
const calmMs = 1_000;

/** What one fault did. */
export interface Struck {
  readonly kind: Kind;
  readonly origins: number;
  readonly sent: number;
  /** Requests that it explains, of routes without retries and of the others. */
  readonly bare: number;
  readonly retried: number;
  /** Requests that only the machine explains, as it let a process wait. */
  readonly starved: number;
  /** Until every origin had answered again; Infinity: one never did. */
  readonly recoveredMs: number;
  readonly breaches: readonly string[];
}

/** Each fault of one origin, then of all; `after` is called with each. */
export async function storm(after: (struck: Struck) => void): Promise<Struck[]> {
  const origins = await startOrigins(originCount);
  const gateway = await startKillable({ isolates, config: configOf(origins) });
  const witness = watchStarving(() => [process.pid, gateway.pid, ...origins.pids()]);
  const traffic = startTraffic(gateway.urls, kinds, perSecond);
  const struck: Struck[] = [];
  try {
    await wait(calmMs);
    const ids = origins.list.map(({ id }) => id);
    for (const [turn, { kind, harmed }] of faultKinds
      .flatMap((kind) => [1, originCount].map((count) => ({ kind, count })))
      .map(({ kind, count }, turn) => ({ kind, harmed: count === 1 ? [ids[turn % originCount]!] : ids }))
      .entries()) {
      const [failedBefore, sentBefore, uncaughtBefore] = [
        traffic.failed.length,
        traffic.sent,
        gateway.uncaught().length,
      ];
      await origins.harm(kind, harmed, harmedMs);
      const recoveredMs = await recovery(traffic.good, harmed);
      // What the breaker refuses is explained until then, so look at what comes later.
      await wait(harmed.length < originCount ? calmMs : Math.max(0, echo.breakerMs - recoveredMs) + calmMs);
      const failed = traffic.failed.slice(failedBefore);
      const explained = failed.filter((outcome) => blame(outcome, [origins.faults[turn]!], echo) !== null);
      const unharmed = failed.filter((outcome) => !explained.includes(outcome));
      const starving = starvedFaults(witness.starved, ids);
      const unexplained = unharmed.filter((outcome) => blame(outcome, starving, echo) === null);
      struck.push({
        ...{ kind, origins: harmed.length, sent: traffic.sent - sentBefore, recoveredMs },
        starved: unharmed.length - unexplained.length,
        bare: explained.filter(({ path }) => path === "/bare").length,
        retried: explained.filter(({ path }) => path !== "/bare").length,
        breaches: [
          ...unexplained.map((outcome) => `not explained by a fault: ${JSON.stringify(outcome)}`),
          ...(Number.isFinite(recoveredMs) ? [] : [`an origin got no traffic again within ${recoveredMsMax} ms`]),
          ...gateway.uncaught().slice(uncaughtBefore),
        ],
      });
      after(struck.at(-1)!);
    }
    return struck;
  } finally {
    await traffic.stop();
    witness.stop();
    await gateway.dispose();
    await origins.dispose();
  }
}

/** Time until each of the origins has answered once more. */
async function recovery(good: ReadonlyMap<string, number>, ids: readonly string[]): Promise<number> {
  const before = new Map(good);
  const beganMs = performance.now();
  for (;;) {
    const tookMs = performance.now() - beganMs;
    if (ids.every((id) => (good.get(id) ?? 0) > (before.get(id) ?? 0))) return tookMs;
    if (tookMs > recoveredMsMax) return Number.POSITIVE_INFINITY;
    await wait(20);
  }
}
