/** Faults of rate limits. */
import { core, isolate, type Mutant, object } from "./mutant.ts";

export const limits: readonly Mutant[] = [
  {
    name: "a limiter answers from memory what it has not stored: the one that was replaced grants too",
    part: "limits",
    withinSeeds: 400,
    rules: ["L1"],
    patches: [object("rate-limiter", "if (changed) this.#store(book);", "")],
  },
  {
    name: "a limiter takes every grant for covered by the row that it has stored",
    part: "limits",
    withinSeeds: 400,
    rules: ["L1"],
    patches: [
      core("limiting", "lease", "if (amount > book.chunk.amount || untilMs > book.chunk.untilMs) return false;", ""),
    ],
  },
  {
    name: "a doubled message is charged twice",
    part: "limits",
    withinSeeds: 400,
    rules: ["L2"],
    patches: [
      core(
        "limiting",
        "lease",
        "const before = leaseOf(book, query.isolate, query.seq);",
        "const before = leaseOf(book, query.isolate, -1);",
      ),
    ],
  },
  {
    name: "a settlement that comes twice is credited twice",
    part: "limits",
    withinSeeds: 400,
    rules: ["L1"],
    patches: [core("limiting", "isolates", "book.leases = book.leases.filter((other) => other !== lease);", "")],
  },
  {
    name: "a sliding window counts a lease from its grant, not from its end",
    part: "limits",
    withinSeeds: 400,
    rules: ["L1", "L2"],
    patches: [
      core(
        "limiting",
        "sliding",
        "charge: (slices, { amount, untilMs }) => add(slices, endOf(untilMs), amount),",
        "charge: (slices, { amount, fromMs }) => add(slices, endOf(fromMs), amount),",
      ),
    ],
  },
  {
    name: "an isolate counts a lease from when the answer arrives",
    part: "limits",
    withinSeeds: 400,
    rules: ["L1", "L2 or L3"],
    patches: [core("limiting", "request", "expiresMs: sentAtMs + reply.ttlMs", "expiresMs: nowMs + reply.ttlMs")],
  },
  {
    name: "an isolate spends what it has reported",
    part: "limits",
    withinSeeds: 400,
    rules: ["L1", "L2 or L3"],
    patches: [core("limiting", "table", "entry.leases = entry.leases.filter((lease) => !isOver(lease));", "")],
  },
  {
    name: "an isolate spends until the last moment by a clock that stands still",
    part: "limits",
    withinSeeds: 3_000,
    rules: ["L1", "L2 or L3"],
    patches: [core("limiting", "limits", "guardMs: 25,", "guardMs: 0,")],
  },
  {
    name: "a refusal by one limit keeps what the other gave",
    part: "limits",
    withinSeeds: 400,
    rules: ["L6"],
    patches: [
      core(
        "limiting",
        "admit",
        'if (!isTaken) for (const result of results) if (result.kind === "taken") result.undo();',
        "",
      ),
    ],
  },
  {
    name: "a limiter sets no alarm, and keeps its row for ever",
    part: "limits",
    withinSeeds: 20,
    rules: ["L5"],
    patches: [
      object(
        "rate-limiter",
        "if (this.#alarmAtMs === null || this.#alarmAtMs > dueMs + bounds.limiterAlarmLateMsMax) this.#setAlarm(dueMs);",
        "void dueMs;",
      ),
    ],
  },
  {
    name: "a request waits for a limiter as long as it takes",
    part: "limits",
    withinSeeds: 20,
    rules: ["wait"],
    patches: [isolate("clients/limiter", "scheduler.wait(bounds.limiterCallMsMax, {", "scheduler.wait(60_000, {")],
  },
];
