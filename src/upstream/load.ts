/** What this isolate knows of the load of its services and origins: per service, outliving snapshots. */
import { bounds } from "../bounds.ts";
import { newLoadState, turn } from "../core/balancing/load.ts";
import { noteOrigins, noteReturn } from "../core/balancing/slow-start.ts";
import type { LoadState } from "../core/balancing/types.ts";
import { type Gradient, newGradient } from "../core/breaking/gradient.ts";
import { newThrottle, type Throttle } from "../core/breaking/throttle.ts";
import type { ThrottleSettings } from "../core/breaking/types.ts";
import { type BudgetState, newBudgetState } from "../core/retrying/budget.ts";
import { type LatencyState, newLatencyState } from "../core/retrying/latency.ts";
import type { ServiceView, Snapshot } from "../snapshot/types.ts";

/** What is remembered of one service. What its configuration does not ask for is null; see `latenciesOf` and so on. */
export interface ServiceLoad {
  readonly state: LoadState;
  readonly budget: BudgetState;
  /** Ids of origins that were unhealthy or ejected in the last snapshot. */
  bad: ReadonlySet<string>;
  latencies: LatencyState | null;
  throttle: { readonly windowMs: number; readonly counts: Throttle } | null;
  gradient: Gradient | null;
}

const loads = new Map<string, ServiceLoad>();
/** Version of the snapshot that was looked through last. */
let notedFor = -1;

/** The load of a service. On a new snapshot everything is forgotten that is no longer in it, so this cannot grow. */
export function loadOf(snapshot: Snapshot, service: ServiceView, nowMs: number): ServiceLoad {
  if (notedFor !== snapshot.version) note(snapshot.inForce ?? snapshot, nowMs);
  let load = loads.get(service.config.name);
  if (!load) {
    load = {
      ...{ state: newLoadState(), budget: newBudgetState(), bad: new Set<string>() },
      ...{ latencies: null, throttle: null, gradient: null },
    };
    loads.set(service.config.name, load);
    noteService(load, [service], nowMs);
  }
  // What adapts its concurrency to a count has every request that leaves counted down, and may have slow ones.
  turn(load.state, service.config.gradient === null ? bounds.loadTurnMs : bounds.inFlightTurnMs, nowMs);
  return load;
}

/** Does anything ask how many requests are under way to the service's origins? */
export function countsInFlight({ config }: ServiceView): boolean {
  return config.policy === "least-request" || config.policy === "ewma" || config.gradient !== null;
}

/** Latencies of the service, for hedging. */
export function latenciesOf(load: ServiceLoad): LatencyState {
  load.latencies ??= newLatencyState();
  return load.latencies;
}

/** Answers of the service, for client-side throttling; empty after a change of its window. */
export function throttleOf(load: ServiceLoad, settings: ThrottleSettings): Throttle {
  if (load.throttle?.windowMs !== settings.windowMs) {
    load.throttle = { windowMs: settings.windowMs, counts: newThrottle(settings) };
  }
  return load.throttle.counts;
}

/** The adaptive limit of the service's concurrency. */
export function gradientOf(load: ServiceLoad): Gradient {
  load.gradient ??= newGradient(Date.now());
  return load.gradient;
}

/** Goes by what is in force and by its canary together: a service has one load, whichever a request is served by. */
function note(inForce: Snapshot, nowMs: number): void {
  notedFor = inForce.version;
  for (const [name, load] of loads) {
    const views = [inForce, inForce.canary?.snapshot].flatMap((snapshot) => snapshot?.services.get(name) ?? []);
    if (views.length > 0) noteService(load, views, nowMs);
    else loads.delete(name);
  }
}

/** Origins that are new, or used again after they were not, start slowly where that is asked for. */
function noteService(load: ServiceLoad, views: readonly ServiceView[], nowMs: number): void {
  const origins = views.flatMap((view) => view.origins);
  const health = views[0]?.health;
  noteOrigins(load.state, new Set(origins.map(({ id }) => id)), nowMs);
  const bad = new Set(health?.ejected.map(({ origin }) => origin));
  for (const { id, state } of origins) if (state === "unhealthy") bad.add(id);
  for (const id of load.bad) if (!bad.has(id)) noteReturn(load.state, id, nowMs);
  load.bad = bad;
}
