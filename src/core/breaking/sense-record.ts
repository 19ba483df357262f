/** What became of requests: counted for the object, and for the isolate's own breaker. */
import { bounds } from "../../bounds.ts";
import { makeRoom } from "../make-room.ts";
import { countLocally, endProbe, type Local } from "./local.ts";
import { probeOutcome } from "./probes.ts";
import { addLocal, knownOf, type OpenCell, type Permit, type Sense } from "./sense-state.ts";
import type { CallOutcome, HealthSettings, OutlierSettings } from "./types.ts";

/**
 * Records the end of an admitted request: at the response's headers, or when it is clear that there will be none.
 *
 * @param latencyMs time that the origin took; a client that uploads slowly makes no slow call.
 */
export function record(
  sense: Sense,
  settings: HealthSettings,
  permit: Permit,
  origin: string,
  outcome: CallOutcome,
  latencyMs: number,
  nowMs: number,
): void {
  const { breaker, outlier } = settings;
  const isSlow = breaker !== null && outcome !== "ignored" && latencyMs >= breaker.slowCallMs;
  const probed = breaker === null ? outcome : probeOutcome(outcome, isSlow, breaker);
  if (permit.probe !== null) settleProbe(sense, permit, probed);
  if (breaker === null && outlier === null) return;
  tally(sense, permit, origin, outcome, isSlow, outlier, nowMs);
  if (breaker === null || permit.probe !== null) return;
  const local = localOf(sense, permit);
  if (local === undefined) return;
  if (permit.isLocalProbe) endProbe(local, permit, probed, nowMs);
  else if (outcome !== "ignored" && countLocally(local, breaker, permit.startedAtMs, outcome, isSlow, nowMs)) {
    sense.isUrgent = true;
  }
}

/** A probe's result is reported once, and not when its time was over or its generation is. */
function settleProbe(sense: Sense, { version, probe }: Permit, outcome: CallOutcome): void {
  const at = sense.running.findIndex((used) => used.permit === probe && used.version === version);
  const [ended] = at < 0 ? [] : sense.running.splice(at, 1);
  if (ended === undefined) return;
  sense.results.push({ version, permit: ended.permit, generation: ended.generation, outcome });
  sense.isUrgent = true;
}

/** The breaker that counts the result: of the generation in which its request began (B3), without an order. */
function localOf(sense: Sense, { version, generation }: Permit): Local | undefined {
  const known = knownOf(sense, version);
  if (known.generation !== generation || known.forced !== "auto") return undefined;
  const local = sense.locals.get(version);
  return local !== undefined || known.state !== "closed" ? local : addLocal(sense, version, generation);
}

/** Adds to the cell of the origin. Where there is no room for another cell the result is lost, which opens nothing (B4). */
function tally(
  sense: Sense,
  permit: Permit,
  origin: string,
  outcome: CallOutcome,
  isSlow: boolean,
  outlier: OutlierSettings | null,
  nowMs: number,
): void {
  const cell = cellOf(sense, permit, origin, nowMs);
  if (cell !== undefined) {
    cell[outcome] += 1;
    if (isSlow) cell.slow += 1;
    if (outcome === "ok") cell.tail = 0;
    else if (outcome === "fail") cell.tail += 1;
  }
  if (outcome === "fail" && isNotable(failuresOf(sense, origin), outlier)) sense.isUrgent = true;
  else if (outcome === "ok") sense.runs.delete(origin);
}

/** Failures of an origin in a row, with one more. */
function failuresOf(sense: Sense, origin: string): number {
  const failures = (sense.runs.get(origin) ?? 0) + 1;
  if (failures === 1) makeRoom(sense.runs, bounds.healthOriginsMax);
  sense.runs.set(origin, failures);
  return failures;
}

/** Only these lengths of a row: an origin that keeps failing is no reason for a report at each failure. */
function isNotable(failures: number, outlier: OutlierSettings | null): boolean {
  return failures === bounds.senseFailuresUrgent || failures === outlier?.consecutiveFailures;
}

function cellOf(sense: Sense, { version, generation }: Permit, origin: string, nowMs: number): OpenCell | undefined {
  const slot = Math.floor(nowMs / bounds.senseSlotMs);
  const current = sense.current.get(origin);
  const isFit = current?.slot === slot && current.version === version && current.generation === generation;
  if (isFit) return current;
  if (sense.cells.length >= bounds.healthItemsPerReportMax) return undefined;
  const counts = { ok: 0, fail: 0, slow: 0, ignored: 0, tail: 0 };
  const made: OpenCell = { version, origin, generation, slot, beganAtMs: nowMs, ...counts };
  sense.cells.push(made);
  sense.current.set(origin, made);
  return made;
}
