import type { Justification } from "../justification.ts";

export const limiting: readonly Justification[] = [
  {
    file: "src/core/limiting/calendar.ts",
    in: "calendarWindow",
    reason: "At the first moment of a day its clock shows that day already, so the day after begins later.",
    changes: ["startOf(number + 1) <= nowMs → (startOf(number + 1)) < (nowMs)"],
  },
  {
    file: "src/core/limiting/isolates.ts",
    in: "forgetLeases",
    reason: "A shortcut: without it the list is made anew with the same leases.",
    changes: ["book.leases.some(isOver) → true"],
  },
  {
    file: "src/core/limiting/lease.ts",
    in: "measure",
    reason: "The time constant is a second, so the factor is 1.",
    changes: ["amount * perSecond → (amount) / (perSecond)"],
  },
  {
    file: "src/core/limiting/meters.ts",
    in: "shapeOf",
    reason: "Any text will do that no other shape has.",
    changes: ['"bucket" → ""'],
  },
  {
    file: "src/core/limiting/policy.ts",
    in: "windowLeaseMs",
    reason: "A token bucket has no delay, so the case of a leaky one says the same.",
    changes: ['case "token-bucket": return bucketLeaseMs(spec); → case "token-bucket": (nothing)'],
  },
  {
    file: "src/core/limiting/sliding.ts",
    in: "expire",
    reason: "A shortcut: without it the same slices are copied.",
    changes: ["first === 0 → false"],
  },
  {
    file: "src/core/limiting/sliding.ts",
    in: "expire",
    reason: "That the first stays has been answered before.",
    changes: ["first < 0 → (first) <= (0)"],
  },
];
