/** What must hold of the isolates in a simulated world. */
import { bounds } from "../../../../src/bounds.ts";
import type { Admission, Permit, Sense } from "../../../../src/core/breaking/sense.ts";
import { knownOf } from "../../../../src/core/breaking/sense-state.ts";
import type { HealthReply, HealthReport, HealthSettings } from "../../../../src/core/breaking/types.ts";
import type { Shift } from "./world-rules.ts";
import type { Truth } from "./world-truth.ts";

export interface Watch {
  /** The object has answered. */
  replied(isolate: string, reply: HealthReply, atMs: number): void;
  /** An isolate has decided. */
  decided(sense: Sense, version: string, admission: Admission, atMs: number): void;
  /** A request is over. */
  ended(permit: Permit): void;
  /** An isolate reports. */
  reports(report: HealthReport, atMs: number): void;
  /** An isolate may have learned something. */
  learned(sense: Sense): void;
  readonly breaches: string[];
}

interface Grant {
  readonly isolate: string;
  readonly atMs: number;
  readonly useWithinMs: number;
  readonly reportWithinMs: number;
  isUsed: boolean;
}

/** A clock may stand still for so long between two waits. */
export const standsStillMsMax = 24;

/**
 * `isFaultless`: nothing is lost or late, so everything holds at once. `newsMsMax`: by when the snapshot of every isolate has
 * what the object has decided then.
 */
export function watch(
  settings: HealthSettings,
  isFaultless: boolean,
  object: { readonly shifts: readonly Shift[] },
  truth: Truth,
  newsMsMax: number,
): Watch {
  const probesMax = settings.breaker?.halfOpenProbes ?? 0;
  const grants = new Map<string, Grant>();
  const underWay = new Map<Permit, number>();
  const begun = new Map<string, number>();
  const known = new Map<Sense, { revision: number; generations: Map<string, number> }>();
  const breaches: string[] = [];
  const keyOf = (version: string, permit: string) => `${version} ${permit}`;

  const began = (sense: Sense, permit: Permit, atMs: number) => {
    const { version, generation, probe } = permit;
    const grant = grants.get(keyOf(version, probe ?? ""));
    if (grant === undefined || grant.isolate !== sense.isolate)
      return void breaches.push("B2: a probe without a permit");
    if (grant.isUsed) breaches.push("B2: a permit is used twice");
    if (atMs > grant.atMs + grant.useWithinMs + standsStillMsMax) breaches.push("B2: a permit is used too late");
    grant.isUsed = true;
    underWay.set(permit, grant.atMs + grant.reportWithinMs);
    const live = [...underWay].filter(
      ([other, endMs]) => other.version === version && other.generation === generation && atMs < endMs,
    );
    if (live.length > probesMax) breaches.push(`B2: ${live.length} live probes`);
    const key = `${version} ${generation}`;
    begun.set(key, (begun.get(key) ?? 0) + 1);
    if (isFaultless && begun.get(key)! > probesMax) breaches.push(`B2: ${begun.get(key)} probes in one generation`);
  };

  /** With nothing lost, everybody acts on what the object decided a while ago. */
  const follows = (version: string, admission: Admission, atMs: number) => {
    const last = lastShift(object.shifts, version);
    if (last === undefined || atMs < last.atMs + newsMsMax) return;
    const isPlain = admission.kind === "admitted" && admission.permit.probe === null;
    if (last.state !== "closed" && isPlain) breaches.push(`B5: admitted while ${last.state} for everybody`);
    if (last.forced === "forced-open" && admission.kind === "admitted") breaches.push("B6: admitted while forced open");
    if (last.forced === "disabled" && admission.kind === "refused") breaches.push("B6: refused while disabled");
  };

  return {
    breaches,
    replied(isolate, { probes }, atMs) {
      for (const { version, permits, useWithinMs, reportWithinMs } of probes) {
        for (const permit of permits) {
          if (grants.has(keyOf(version, permit))) breaches.push("B2: a permit is granted twice");
          grants.set(keyOf(version, permit), { isolate, atMs, useWithinMs, reportWithinMs, isUsed: false });
        }
      }
    },
    decided(sense, version, admission, atMs) {
      const { state, forced } = knownOf(sense, version);
      const isAdmitted = admission.kind === "admitted";
      if (forced === "forced-open" && isAdmitted) breaches.push("B6: admitted while forced open");
      if (forced === "disabled" && !isAdmitted) breaches.push("B6: refused while disabled");
      if (isFaultless) follows(version, admission, atMs);
      if (!isAdmitted) return;
      const { permit } = admission;
      if (permit.probe !== null) began(sense, permit, atMs);
      else if (forced === "auto" && state !== "closed" && sense.failures === 0)
        breaches.push(`B5: admitted while ${state}`);
    },
    ended: (permit) => void underWay.delete(permit),
    reports({ probes, isolate }, atMs) {
      for (const { version, permit, generation, outcome } of probes) {
        const isRunning = [...underWay.keys()].some((one) => one.version === version && one.probe === permit);
        if (!isRunning) continue;
        const { atMs: grantedMs, reportWithinMs } = grants.get(keyOf(version, permit))!;
        const earliestMs = grantedMs + reportWithinMs - bounds.senseProbeLeadMs - lookMsMax;
        if (outcome !== "fail" || atMs < earliestMs) breaches.push(`B7: ${isolate} gave up a probe too early`);
        truth.giveUp(version, generation);
      }
    },
    learned(sense) {
      const last = known.get(sense) ?? { revision: -1, generations: new Map() };
      if (sense.revision < last.revision) breaches.push("B1: an isolate went back to an older view");
      if (sense.revision === last.revision) return;
      for (const [version, { state, generation, forced }] of sense.breakers) {
        const isTrue = object.shifts.some(
          (shift) =>
            shift.version === version &&
            shift.generation === generation &&
            shift.state === state &&
            shift.forced === forced,
        );
        if (!isTrue) breaches.push(`B1: ${state} in generation ${generation} is not what the object has stored`);
        if (generation < (last.generations.get(version) ?? 0)) breaches.push("B1: an isolate went back a generation");
        last.generations.set(version, generation);
      }
      last.revision = sense.revision;
      known.set(sense, last);
    },
  };
}

/** How long before its answer arrives a report may have been made: a probe's times count from there. */
const lookMsMax = 1_200;

function lastShift(shifts: readonly Shift[], version: string): Shift | undefined {
  return shifts.findLast((shift) => shift.version === version);
}
