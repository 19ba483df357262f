/** The isolate's breaker, the retry budget, rolling counts. */
import { admit, newSense, record, reportDueInMs, stateOf } from "../../../src/core/breaking/sense.ts";
import type { CallOutcome, HealthSettings } from "../../../src/core/breaking/types.ts";
import { newBudgetState, noteRequest } from "../../../src/core/retrying/budget.ts";
import { add, newRolling } from "../../../src/core/rolling.ts";
import type { Case } from "../measure.ts";
import { newRandom } from "./facts.ts";

const settings: HealthSettings = {
  revision: 1,
  breaker: {
    windowMs: 10_000,
    minimumRequests: 20,
    failureRate: 0.5,
    slowCallMs: 10_000,
    slowCallRate: 1,
    consecutiveFailures: 10,
    openMs: 5_000,
    maxOpenMs: 60_000,
    halfOpenProbes: 3,
    recoveryMs: 10_000,
  },
  outlier: { consecutiveFailures: 5, baseEjectionMs: 30_000, maxEjectionPercent: 50 },
  maxConcurrent: 0,
};

/** One request after the other, a thousand a second: admitted, ended, asked whether a report is due. */
function requests(name: string, outcomeOf: (index: number) => CallOutcome): Case {
  const sense = newSense("bench");
  const random = newRandom();
  let nowMs = 1_700_000_000_000;
  return {
    name: `breaker admit, record, due: ${name}`,
    run: (index) => {
      nowMs += 1;
      // As if each report had been answered at once.
      if ((index & 1_023) === 0) {
        sense.cells = [];
        sense.current = new Map();
      }
      const admission = admit(sense, settings, "v1", nowMs, random);
      if (admission.kind === "refused") return admission;
      record(sense, settings, admission.permit, "users-1.example.com", outcomeOf(index), 20, nowMs);
      return reportDueInMs(sense, settings, nowMs);
    },
  };
}

export function breaking(): Case[] {
  const sense = newSense("bench");
  const random = newRandom();
  const budget = newBudgetState();
  const rolling = newRolling(10_000, 10, 3);
  return [
    requests("ok", () => "ok"),
    requests("one in 20 fails", (index) => (index % 20 === 0 ? "fail" : "ok")),
    { name: "breaker admit", run: () => admit(sense, settings, "v1", 1_000, random) },
    { name: "breaker state", run: () => stateOf(sense, settings, "v1", 1_000) },
    { name: "retry budget note", run: (index) => noteRequest(budget, 1_700_000_000_000 + index) },
    { name: "rolling add", run: (index) => add(rolling, 1, 1, 1_700_000_000_000 + index) },
  ];
}
