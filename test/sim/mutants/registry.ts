/** Faults of leases and of publication. */
import { core, type Mutant, object } from "./mutant.ts";

export const registry: readonly Mutant[] = [
  {
    name: "a registry answers before it has stored",
    part: "registry",
    withinSeeds: 100,
    rules: ["linear", "R", "R1", "R3", "R4"],
    patches: [
      object(
        "service-registry",
        "if (change.touched.size > 0 || change.events.length > 0) this.#save(",
        "if (change.events.length > 9) this.#save(",
      ),
    ],
  },
  {
    name: "a registration does not compare the revision",
    part: "registry",
    withinSeeds: 100,
    rules: ["linear"],
    patches: [
      core(
        "leasing",
        "leases",
        "if (ifRevision !== null && ifRevision !== oldRevision)",
        "if (ifRevision !== null && oldRevision < 0)",
      ),
    ],
  },
  {
    name: "a void lease can be renewed",
    part: "registry",
    withinSeeds: 400,
    rules: ["R6", "linear"],
    patches: [core("leasing", "leases", "if (origin?.leaseId === lease.leaseId)", "if (origin)")],
  },
  {
    name: "a publication counts as taken before it is",
    part: "registry",
    withinSeeds: 400,
    rules: ["R"],
    patches: [object("upkeep", "await answerWithin(taken, bounds.objectCallMsMax);", "taken.catch(() => {});")],
  },
  {
    name: "an older publication takes the place of a newer one",
    part: "registry",
    withinSeeds: 1_000,
    rules: ["R"],
    patches: [
      object("control-plane", "if (known && known.source_revision >= revision) return { accepted: false };", ""),
    ],
  },
  {
    name: "a registry trusts its alarm, which may be a minute late",
    part: "leases",
    withinSeeds: 400,
    rules: ["R2", "R4"],
    patches: [
      object("upkeep", "this.#setTimer(Math.min(dueMs, this.#isPublishing ? never : this.#publishAtMs), nowMs);", ""),
      object(
        "service-registry",
        "const change = tick(book, nowMs);\n      return { result: list(book, nowMs), change };",
        "return { result: list(book, nowMs), change: { touched: new Set(), events: [] } };",
      ),
      core("leasing", "listing", "?? origin.deadlineMs) > nowMs;", "?? origin.deadlineMs) > 0;"),
    ],
  },
  {
    name: "a restart shortens leases to what was stored",
    part: "leases",
    withinSeeds: 400,
    rules: ["R4"],
    patches: [
      core(
        "leasing",
        "restart",
        'if (origin.state === "suspect" || deadlineMs <= origin.deadlineMs) continue;',
        "if (deadlineMs > 0) continue;",
      ),
    ],
  },
  {
    name: "restarts extend leases without limit",
    part: "leases",
    withinSeeds: 4_000,
    rules: ["R4"],
    patches: [core("leasing", "restart", "if (origin.extensions >= bounds.restartExtensionsMax) continue;", "")],
  },
  {
    name: "suspects outlive the freeze",
    part: "leases",
    withinSeeds: 1_000,
    rules: ["R5"],
    patches: [core("leasing", "expiry", "expire(book, change, due);\n    book.freeze = null;", "book.freeze = null;")],
  },
  {
    name: "an alarm throws, to be tried again by the platform",
    part: "leases",
    withinSeeds: 20,
    rules: ["alarm"],
    patches: [
      object(
        "upkeep",
        "this.#alarmAtMs = never;\n    await this.#wake();",
        "this.#alarmAtMs = never;\n    await this.#wake();\n    if (this.#duties.isUnpublished()) throw new Error('not published');",
      ),
    ],
  },
];
