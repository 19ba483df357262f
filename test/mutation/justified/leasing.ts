import type { Justification } from "../justification.ts";

export const leasing: readonly Justification[] = [
  {
    file: "src/core/leasing/checks.ts",
    in: "order",
    reason: "An order is refused only for another that is in force: the compiler alone asks.",
    changes: ["book.checkOrder?.digest → book.checkOrder.digest"],
  },
  {
    file: "src/core/leasing/checks.ts",
    in: "conclude",
    reason: "Without settings nobody is to be checked: the compiler alone asks.",
    changes: ["settings === null → false"],
  },
  {
    file: "src/core/leasing/events.ts",
    in: "viewOf",
    reason: "No origin has null for its id: the compiler alone asks.",
    changes: ["id === null → false"],
  },
  {
    file: "src/core/leasing/expiry.ts",
    in: "shareRenewed",
    reason: "Neither 1 nor 0 / 0, which is no number, is below the share that it is compared with.",
    changes: ["leases.length === 0 → false"],
  },
  {
    file: "src/core/leasing/expiry.ts",
    in: "tick",
    reason: "No two have the same id.",
    changes: ["a.id < b.id → (a.id) <= (b.id)"],
  },
  {
    file: "src/core/leasing/listing.ts",
    in: "byId",
    reason: "No two have the same id.",
    changes: ["a.id < b.id → (a.id) <= (b.id)"],
  },
  {
    file: "src/core/leasing/listing.ts",
    in: "apply",
    reason: "Behind the cases nothing is returned either: these are there for the compiler.",
    changes: [
      '"expire" → ""',
      '"drained" → ""',
      '"deregister" → ""',
      'case "deregister": return undefined; → case "deregister": (nothing)',
    ],
  },
];
