/** What is aimed for: `must` has to hold, `after` is what we are after. */

export interface Goal {
  readonly must: number;
  /** Without it nothing more is aimed for. */
  readonly after?: number;
  /** Whether a larger value is a better one. Default false. */
  readonly isMore?: boolean;
}

export type Verdict = "reached" | "holds" | "MISSED" | "no figure" | "";

/** CPU per request / BARE, by case. */
export const caseGoals: Readonly<Record<string, Goal>> = {
  plain: { must: 1.3, after: 1.12 },
  limited: { must: 1.5, after: 1.28 },
  denied: { must: 0.6, after: 0.45 },
};

/** Of other figures, by their ids. */
export const figureGoals: Readonly<Record<string, Goal>> = {
  "match-cost": { must: 2, after: 1.2 },
  "origins-cost": { must: 1.2 },
  "keys-cost": { must: 1.3, after: 1.15 },
  "proxy-cost": { must: 1 },
  "p99-ratio": { must: 1.5 },
  "plain-calls-waited": { must: 0, after: 0 },
  "thousand-calls": { must: 0.05, after: 0.01 },
  "bundle-gzip": { must: 150, after: 80 },
  "startup-cpu": { must: 50, after: 20 },
  "compile-1000-routes": { must: 50, after: 10 },
  "memory-1000-routes-1000-origins": { must: 8, after: 2 },
  heartbeats: { must: 2_000, after: 10_000, isMore: true },
};

/** `value` null: it could not be measured. Without a goal there is nothing to say. */
export function verdict(value: number | null, goal: Goal | undefined): Verdict {
  if (goal === undefined) return "";
  if (value === null) return "no figure";
  const isWithin = (bound: number) => (goal.isMore ? value >= bound : value <= bound);
  if (goal.after !== undefined && isWithin(goal.after)) return "reached";
  return isWithin(goal.must) ? "holds" : "MISSED";
}
