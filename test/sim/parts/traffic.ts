/** Requests to the service: snapshot, slot, breaker, origin, result; as the pipeline does it, without HTTP. */
import { bounds } from "../../../src/bounds.ts";
import type { Admission, Permit } from "../../../src/core/breaking/sense.ts";
import type { BreakerSettings, HealthSettings, OutlierSettings } from "../../../src/core/breaking/types.ts";
import type { Origin, ServiceView, Snapshot } from "../../../src/snapshot/types.ts";
import { originsOf, resultOf } from "../../unit/core/breaking/simulation-origins.ts";
import { standsStillMsMax } from "../../unit/core/breaking/simulation-watch.ts";
import { BreakerCheck } from "../check/breakers.ts";
import type { SnapshotCheck } from "../check/snapshots.ts";
import { serviceName } from "../documents.ts";
import type { Isolate } from "../fakes/isolate.ts";
import { type AuthoredBreaker, isCalm, type Plan, type ServiceSetup, type Step } from "../plan.ts";
import type { Town } from "../town.ts";
import { startMs } from "../world.ts";
import type { Part } from "./part.ts";

interface Health {
  isSensed(view: ServiceView): boolean;
  enterService(env: object, ctx: object, view: ServiceView): Promise<{ readonly entered: boolean }>;
  leaveService(view: ServiceView, entry: object): void;
  ejectedOf(view: ServiceView, nowMs: number): ReadonlySet<string>;
  admitCall(env: object, ctx: object, view: ServiceView, version: string, nowMs: number): Admission;
  recordCall(
    env: object,
    ctx: object,
    view: ServiceView,
    permit: Permit,
    origin: string,
    outcome: string,
    ms: number,
    nowMs: number,
  ): void;
  breakerState(view: ServiceView, version: string, nowMs: number): string;
}
interface Cache {
  currentSnapshot(env: object, ctx: object): Promise<Snapshot | null>;
}
interface Checks {
  superviseChecks(env: object, ctx: object, view: ServiceView): void;
}

/** Longest time for which a request waits for a slot: the rest of the bound is taken anew each time, by a clock that may stand still. */
const slotWaitMsMax = bounds.limiterCallMsMax + bounds.enterRoundsMax * (standsStillMsMax + 1);

/** When the lease of an origin ends, as far as anybody was told; null: it is none that registered. */
export type LeaseEnd = (origin: string) => number | null;

/** How long after the end of its lease an origin may still be sent requests, while nothing goes wrong (R2). */
const afterLeaseMsMax = 1_000;

export function trafficPart(
  setup: ServiceSetup,
  plan: Plan,
  town: Town,
  snapshots: SnapshotCheck,
  leaseEndMs: LeaseEnd,
): Part {
  const { world } = town;
  const calm = isCalm(plan);
  const breakers = new BreakerCheck(settingsOf(setup), plan, town);
  const { origins: count, illnesses, illForMs } = setup;
  const illness = originsOf({ versions: 1, origins: count, illnesses, faultyMs: illForMs }, startMs, world.fate);
  const views = new WeakMap<Isolate, ServiceView>();
  const resultAt = (origin: string) => {
    if (illness.phases.has(origin)) return resultOf(illness, origin, world.nowMs, world.fate);
    return { outcome: "ok" as const, tookMs: world.fate.int(1, 40) };
  };
  town.checkOrigin = (url) => {
    const { outcome, tookMs } = resultAt(new URL(url).hostname.split(".")[0]!);
    return { tookMs, status: outcome === "ok" ? 200 : 500 };
  };

  const snapshotOf = async (isolate: Isolate, isLast: boolean): Promise<Snapshot | null> => {
    const sinceMs = world.nowMs;
    const { currentSnapshot } = isolate.module<Cache>("src/snapshot/cache.ts");
    const snapshot = await currentSnapshot(isolate.env, isolate.ctx);
    snapshots.uses(isolate, snapshot, sinceMs, isLast);
    return snapshot;
  };

  const request = async (isolate: Isolate, isLast: boolean): Promise<void> => {
    const view = (await snapshotOf(isolate, isLast))?.services.get(serviceName);
    if (view === undefined) return;
    views.set(isolate, view);
    const { env, ctx } = isolate;
    isolate.module<Checks>("src/clients/health-checks.ts").superviseChecks(env, ctx, view);
    const health = isolate.module<Health>("src/clients/health.ts");
    if (!health.isSensed(view)) return void pick(view.usable, new Set());
    const sinceMs = world.nowMs;
    const entry = await health.enterService(env, ctx, view);
    const tookMs = world.nowMs - sinceMs;
    if (tookMs > slotWaitMsMax) world.breach(`wait: a request waited ${tookMs} ms for a slot`);
    if (!entry.entered) return;
    const admission = health.admitCall(env, ctx, view, "", isolate.clock());
    const origin = admission.kind === "admitted" ? pick(view.usable, health.ejectedOf(view, isolate.clock())) : null;
    if (admission.kind === "refused" || origin === null) {
      world.note(() => `${isolate.name} refuses`);
      if (admission.kind === "admitted")
        health.recordCall(env, ctx, view, admission.permit, "", "ignored", 0, isolate.clock());
      return health.leaveService(view, entry);
    }
    world.note(() => `${isolate.name} asks ${origin.id}`);
    await sent(isolate, view, origin, admission.permit);
    health.leaveService(view, entry);
  };

  /** Sends it, and records what became of it. */
  const sent = (isolate: Isolate, view: ServiceView, { id }: Origin, permit: Permit): Promise<void> => {
    const { outcome, tookMs } = resultAt(id);
    const beganMs = world.nowMs;
    return new Promise((resolve) => {
      world.at(world.nowMs + tookMs, null, () => {
        if (isolate.isGone) return breakers.ended(permit);
        world.at(world.nowMs, isolate, () => {
          const { recordCall } = isolate.module<Health>("src/clients/health.ts");
          recordCall(isolate.env, isolate.ctx, view, permit, id, outcome, world.nowMs - beganMs, isolate.clock());
          resolve();
        });
      });
    });
  };

  const pick = (usable: readonly Origin[], ejected: ReadonlySet<string>): Origin | null => {
    const well = usable.filter(({ id }) => !ejected.has(id));
    // As the balancer does: with nobody left, everybody is asked.
    const left = well.length === 0 ? usable : well;
    const origin = left[world.fate.int(0, left.length - 1)] ?? null;
    const endMs = origin && leaseEndMs(origin.id);
    const isExpected = calm && origin?.state !== "suspect";
    if (isExpected && endMs !== null && world.nowMs > endMs + afterLeaseMsMax) {
      world.breach(`R2: ${origin!.id} is asked ${world.nowMs - endMs} ms after its lease`);
    }
    return origin;
  };

  const { tapsOfIsolate, tapsOfObject, onTurn, onReply } = breakers;
  return {
    tapsOfIsolate,
    tapsOfObject,
    onTurn,
    onReply,
    play(step: Step): boolean {
      if (step.kind === "force") {
        const isolate = town.isolates[step.place]!;
        const order = { version: null, state: step.state };
        world.at(world.nowMs, isolate, () => {
          town.network.call(isolate, town.host(`SERVICE_HEALTH/${serviceName}`), "force", [order]).catch(() => {});
        });
        return true;
      }
      if (step.kind !== "traffic") return false;
      for (let at = 0; at < step.count; at++) {
        const isolate = () => town.isolates[step.place]!;
        world.at(world.nowMs + at * step.gapMs, isolate, (actor) => {
          request(actor as Isolate, step.isLast === true).catch((error: Error) =>
            world.breach(`request: ${error.stack}`),
          );
        });
      }
      return true;
    },
    finish() {
      if (!setup.mustHeal) return;
      for (const isolate of town.isolates) {
        isolate.begin();
        const view = views.get(isolate);
        const state = view && isolate.module<Health>("src/clients/health.ts").breakerState(view, "", isolate.clock());
        if (state !== "closed") world.breach(`B7: ${state} at ${isolate.name} although all has long been well`);
      }
    },
  };
}

/** What the document compiles to. */
function settingsOf({
  circuitBreaker,
  outlierDetection,
  maxConcurrentRequests: maxConcurrent,
}: ServiceSetup): HealthSettings {
  return {
    revision: 1,
    breaker: circuitBreaker && breakerOf(circuitBreaker),
    outlier: outlierDetection as OutlierSettings | null,
    maxConcurrent,
  };
}

function breakerOf({
  windowSeconds,
  openSeconds,
  maxOpenSeconds,
  recoverySeconds,
  ...same
}: AuthoredBreaker): BreakerSettings {
  return {
    ...same,
    windowMs: windowSeconds * 1_000,
    openMs: openSeconds * 1_000,
    maxOpenMs: maxOpenSeconds * 1_000,
    recoveryMs: recoverySeconds * 1_000,
  };
}
