/** May a request go to a version? Decided from memory alone, on the worse of what the object and this isolate know (B5). */
import { type Local, openLocal, probeAtMsOf } from "./local.ts";
import { addLocal, type Known, knownOf, type Permit, type Sense } from "./sense-state.ts";
import type { BreakerSettings, BreakerState, Forced, HealthSettings } from "./types.ts";

export type Admission =
  | { readonly kind: "admitted"; readonly permit: Permit }
  | {
      readonly kind: "refused";
      /** `local`: this isolate alone has seen enough. */
      readonly reason: "forced-open" | "open" | "half-open" | "recovering" | "local";
      /** Until a probe may go, or the ramp ends; 0: not known. */
      readonly retryAfterMs: number;
    };

/** The breaker as requests of this isolate meet it. */
export type HealthState = BreakerState | "recovering" | Exclude<Forced, "auto">;

/** Decides on a request. Who is admitted is recorded, once; a probe whatever becomes of it. `random` is in [0, 1). */
export function admit(
  sense: Sense,
  settings: HealthSettings,
  version: string,
  nowMs: number,
  random: () => number,
): Admission {
  const known = knownOf(sense, version);
  if (known.forced === "forced-open") return refused("forced-open", 0);
  if (settings.breaker === null || known.forced === "disabled") return admitted(version, known, nowMs);
  if (known.state !== "closed") return admitToSick(sense, settings.breaker, version, known, nowMs, random);
  const local = sense.locals.get(version);
  const isWell = known.closedAtMs === null && (local === undefined || (!local.isOpen && local.attempts === 0));
  if (isWell) return admitted(version, known, nowMs);
  return admitCarefully(local, settings.breaker, version, known, nowMs, random);
}

/** The object has opened it. While it answers nobody tries without its permit; without it, each isolate for itself. */
function admitToSick(
  sense: Sense,
  settings: BreakerSettings,
  version: string,
  known: Known,
  nowMs: number,
  random: () => number,
): Admission {
  if (nowMs < known.untilMs) return refused("open", known.untilMs - nowMs);
  const at = sense.unused.findIndex((probe) => probe.version === version && nowMs < probe.useByMs);
  const [probe] = at < 0 ? [] : sense.unused.splice(at, 1);
  if (probe !== undefined) {
    sense.running.push(probe);
    return admitted(version, known, nowMs, probe.permit);
  }
  sense.wants.set(version, Math.min(settings.halfOpenProbes, (sense.wants.get(version) ?? 0) + 1));
  if (sense.failures === 0) return refused(known.state === "open" ? "open" : "half-open", 0);
  return admitCarefully(localAlone(sense, version, known, nowMs), settings, version, known, nowMs, random);
}

/** The isolate's breaker in place of the object's: open when it begins, so that not all isolates try at once. */
function localAlone(sense: Sense, version: string, { generation }: Known, nowMs: number): Local {
  const local = sense.locals.get(version);
  if (local !== undefined) return local;
  const made = addLocal(sense, version, generation);
  openLocal(made, nowMs);
  return made;
}

function admitCarefully(
  local: Local | undefined,
  settings: BreakerSettings,
  version: string,
  known: Known,
  nowMs: number,
  random: () => number,
): Admission {
  if (local?.isOpen) {
    const probeAtMs = probeAtMsOf(local, settings, nowMs, random);
    if (local.probe !== null || nowMs < probeAtMs) return refused("local", Math.max(0, probeAtMs - nowMs));
    local.probe = { version, generation: known.generation, probe: null, isLocalProbe: true, startedAtMs: nowMs };
    return { kind: "admitted", permit: local.probe };
  }
  const endMs = rampEndMs(local, known, settings);
  if (nowMs >= endMs) {
    if (local !== undefined) local.attempts = 0;
    return admitted(version, known, nowMs);
  }
  const share = 1 - (1 - rampBegin) * ((endMs - nowMs) / settings.recoveryMs);
  return random() < share ? admitted(version, known, nowMs) : refused("recovering", endMs - nowMs);
}

/** Share of the requests that is admitted just after closing. */
const rampBegin = 0.1;

/** End of the ramp that ends last. */
function rampEndMs(local: Local | undefined, known: Known, { recoveryMs }: BreakerSettings): number {
  const ownMs = local !== undefined && local.attempts > 0 ? local.sinceMs : Number.NEGATIVE_INFINITY;
  return Math.max(ownMs, known.closedAtMs ?? Number.NEGATIVE_INFINITY) + recoveryMs;
}

function admitted(version: string, { generation }: Known, nowMs: number, probe: string | null = null): Admission {
  return { kind: "admitted", permit: { version, generation, probe, isLocalProbe: false, startedAtMs: nowMs } };
}

function refused(reason: Extract<Admission, { kind: "refused" }>["reason"], retryAfterMs: number): Admission {
  return { kind: "refused", reason, retryAfterMs };
}

/** In which state requests meet the breaker now: the worse of the object's and this isolate's. */
export function stateOf(sense: Sense, settings: HealthSettings, version: string, nowMs: number): HealthState {
  const known = knownOf(sense, version);
  if (known.forced !== "auto") return known.forced;
  if (settings.breaker === null) return "closed";
  const local = sense.locals.get(version);
  // A breaker of its own beside one that is not closed is there in its place.
  if (known.state !== "closed" && local === undefined) return known.state;
  if (local?.isOpen) return nowMs >= (local.probeAtMs ?? Number.POSITIVE_INFINITY) ? "half-open" : "open";
  return nowMs < rampEndMs(local, known, settings.breaker) ? "recovering" : "closed";
}
