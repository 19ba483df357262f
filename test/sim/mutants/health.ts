/** Faults of breakers and reports. */
import { core, type Mutant, object } from "./mutant.ts";

export const health: readonly Mutant[] = [
  {
    name: "a breaker opens without a new generation",
    part: "health",
    withinSeeds: 50,
    rules: ["B1"],
    patches: [
      core("breaking", "breaker", "breaker.generation += 1;", 'if (state !== "open") breaker.generation += 1;'),
    ],
  },
  {
    name: "a health object answers before it has stored",
    part: "health",
    withinSeeds: 100,
    rules: ["B1", "B7"],
    patches: [object("service-health", "if (changed) saveHealth(", "if (changed && events.length > 9) saveHealth(")],
  },
  {
    name: "a health object forgets with its memory which permits are out",
    part: "health",
    withinSeeds: 5_000,
    rules: ["B2"],
    patches: [core("breaking", "book", "permits: [...permits]", "permits: []")],
  },
  {
    name: "results from before a transition count after it",
    part: "health",
    withinSeeds: 400,
    rules: ["B3", "B4"],
    patches: [
      core("breaking", "breaker", "cells.filter(({ generation }) => generation === breaker.generation)", "cells"),
    ],
  },
  {
    name: "a report that comes again counts again",
    part: "health",
    withinSeeds: 400,
    rules: ["B3", "B4"],
    patches: [core("breaking", "isolates", "return first;", "return true;")],
  },
  {
    name: "counts open a breaker that an operator has switched off",
    part: "health",
    withinSeeds: 600,
    rules: ["B1", "B6"],
    patches: [
      core(
        "breaking",
        "breaker",
        'if (breaker.forced !== "auto" || breaker.state !== "closed") return;',
        'if (breaker.state !== "closed") return;',
      ),
    ],
  },
  {
    name: "permits to probe never end",
    part: "health",
    withinSeeds: 2_000,
    rules: ["B7", "endless"],
    patches: [
      core(
        "breaking",
        "breaker",
        "if (untilMs <= nowMs) breaker.permits.delete(permit);",
        "void [permit, untilMs, nowMs];",
      ),
    ],
  },
  {
    name: "an isolate goes back to an older view of the breakers",
    part: "health",
    withinSeeds: 400,
    rules: ["B1"],
    patches: [core("breaking", "sense-adopt", "if (view.revision < sense.revision) return;", "")],
  },
  {
    name: "an isolate admits while the breaker is half-open, without a permit",
    part: "health",
    withinSeeds: 50,
    rules: ["B5"],
    patches: [
      core(
        "breaking",
        "sense-admit",
        'if (known.state !== "closed") return admitToSick',
        'if (known.state === "open") return admitToSick',
      ),
    ],
  },
  {
    name: "slots of limited concurrency are granted as asked for, whoever has them",
    part: "health",
    withinSeeds: 1_000,
    rules: ["slots"],
    patches: [
      core("breaking", "bulkhead", "const granted = Math.min(demand, room,", "const granted = Math.min(demand, max,"),
    ],
  },
];
