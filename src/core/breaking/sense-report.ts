/** Reports to the object: when one is due, what it says, and what its answer means. One is under way at a time. */
import { bounds } from "../../bounds.ts";
import { jittered } from "./limits.ts";
import { isCurrent, learn } from "./sense-adopt.ts";
import type { Probe, Sense } from "./sense-state.ts";
import type { ConcurrencyAsk, HealthReply, HealthReport, HealthSettings, ProbeResult } from "./types.ts";

/** Time until a report must be made; 0: now. Null: there is nothing to say yet, or an answer to wait for. */
export function reportDueInMs(sense: Sense, settings: HealthSettings, nowMs: number): number | null {
  if (settings.breaker === null && settings.outlier === null) return null;
  if (sense.flight !== null && nowMs - sense.reportedAtMs < bounds.senseFlightMsMax) return null;
  // Pauses grow with the number of isolates as that of regular reports does, so that they cannot drown the object.
  const { reportedAtMs, nextReportMs } = sense;
  let dueMs = Number.POSITIVE_INFINITY;
  if (sense.isUrgent) dueMs = reportedAtMs + nextReportMs / bounds.senseUrgentDivisor;
  else if (sense.isAsking || sense.wants.size > 0) dueMs = reportedAtMs + nextReportMs / bounds.senseAskDivisor;
  else if (sense.cells.length > 0 || sense.results.length > 0) dueMs = reportedAtMs + nextReportMs;
  for (const { useByMs } of sense.unused) dueMs = Math.min(dueMs, useByMs);
  for (const { reportByMs } of sense.running) dueMs = Math.min(dueMs, reportByMs - bounds.senseProbeLeadMs);
  if (dueMs === Number.POSITIVE_INFINITY) return null;
  return Math.max(0, Math.max(dueMs, sense.retryAtMs) - nowMs);
}

/** Makes the next report, of all that was not told yet. Follow it with `replied` or `failed`. `origins`: of the service. */
export function takeReport(
  sense: Sense,
  settings: HealthSettings,
  origins: number,
  concurrency: ConcurrencyAsk | null,
  nowMs: number,
): HealthReport {
  // The one before was given up.
  if (sense.flight !== null) sense.failures += 1;
  endProbes(sense, nowMs);
  sense.seq += 1;
  const report: HealthReport = {
    isolate: sense.isolate,
    seq: sense.seq,
    settings,
    origins,
    cells: sense.cells.map(({ slot: _, beganAtMs, ...cell }) => ({ ...cell, ageMs: Math.max(0, nowMs - beganAtMs) })),
    probes: sense.results,
    wants: [...sense.wants].map(([version, probes]) => ({ version, probes })),
    concurrency,
  };
  sense.cells = [];
  sense.current = new Map();
  sense.results = [];
  sense.wants = new Map();
  sense.isUrgent = false;
  sense.isAsking = false;
  sense.flight = report;
  sense.reportedAtMs = nowMs;
  return report;
}

/** Gives permits back that were not used in time. A request that runs until its permit ends has failed as a probe. */
function endProbes(sense: Sense, nowMs: number): void {
  const end = (probes: Probe[], isOver: (probe: Probe) => boolean, outcome: ProbeResult["outcome"]): Probe[] => {
    for (const { version, permit, generation } of probes.filter(isOver)) {
      sense.results.push({ version, permit, generation, outcome });
    }
    return probes.filter((probe) => !isOver(probe));
  };
  sense.unused = end(sense.unused, ({ useByMs }) => nowMs >= useByMs, "ignored");
  sense.running = end(sense.running, ({ reportByMs }) => nowMs >= reportByMs - bounds.senseProbeLeadMs, "fail");
}

/**
 * Takes the answer to a report. One that is late or comes again tells no more than a snapshot: the permits in it are lost,
 * and end by themselves. `askedAtMs`: when the report was made; the permits' times count from there.
 */
export function replied(
  sense: Sense,
  report: HealthReport,
  reply: HealthReply,
  askedAtMs: number,
  nowMs: number,
): void {
  learn(sense, reply, nowMs);
  if (sense.flight !== report) return;
  sense.flight = null;
  sense.failures = 0;
  sense.retryAtMs = Number.NEGATIVE_INFINITY;
  sense.nextReportMs = reply.nextReportMs;
  for (const { version, generation, permits, useWithinMs, reportWithinMs } of reply.probes) {
    if (!isCurrent(sense, { version, generation })) continue;
    const [useByMs, reportByMs] = [askedAtMs + useWithinMs, askedAtMs + reportWithinMs];
    for (const permit of permits) sense.unused.push({ version, generation, permit, useByMs, reportByMs });
  }
}

/**
 * Gives up a report. Its counts are lost, for the object may have them (B4). Results of probes are told again: the object
 * takes each once. The next report waits, longer after each failure. `random` is in [0, 1).
 */
export function failed(sense: Sense, report: HealthReport, nowMs: number, random: () => number): void {
  if (sense.flight !== report) return;
  sense.flight = null;
  const { nextReportMs, failures } = sense;
  const pauseMs = Math.min(Math.max(nextReportMs, bounds.senseRetryMsMax), nextReportMs * 2 ** failures);
  sense.retryAtMs = nowMs + jittered(pauseMs, random);
  sense.failures += 1;
  const again = report.probes.filter((result) => isCurrent(sense, result));
  sense.results = [...again, ...sense.results].slice(0, bounds.healthItemsPerReportMax);
}
