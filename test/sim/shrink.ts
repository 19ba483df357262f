/** Makes a failing schedule small: what can be left out without the breach going away is left out. */
import { type Faults, noFaults } from "./faults.ts";
import type { Plan, Step } from "./plan.ts";
import type { Result } from "./run.ts";

/** First word of a breach: what it is told apart by. */
export const ruleOf = (breach: string): string => breach.split(":")[0]!;

/** Most schedules that are tried. */
const triesMax = 600;

/** The smallest plan found that breaches the same rule, with the result of its run. */
export async function shrink(
  plan: Plan,
  run: (plan: Plan) => Promise<Result>,
): Promise<{ plan: Plan; result: Result }> {
  let [best, result] = [plan, await run(plan)];
  const rule = ruleOf(result.breaches[0] ?? "");
  let tries = 0;
  const holds = async (candidate: Plan): Promise<boolean> => {
    if (tries++ >= triesMax) return false;
    const tried = await run(candidate);
    if (ruleOf(tried.breaches[0] ?? "") !== rule) return false;
    [best, result] = [candidate, tried];
    return true;
  };
  const quieten = async () => {
    for (const name of Object.keys(noFaults) as (keyof Faults)[]) {
      if (best.faults[name] !== 0) await holds({ ...best, faults: { ...best.faults, [name]: 0 } });
    }
  };
  await quieten();
  // Delta debugging (Zeller, "Yesterday, my program worked", 1999) with complements only: ever smaller parts are left out.
  for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.steps.length; ) {
      const steps = best.steps.filter((_, index) => index < at || index >= at + size);
      if (!(await holds({ ...best, steps }))) at += size;
    }
  }
  for (let at = 0; at < best.steps.length; at++) {
    for (const smaller of reduced(best.steps[at]!)) {
      await holds({ ...best, steps: best.steps.map((step, index) => (index === at ? smaller : step)) });
    }
  }
  await quieten();
  return { plan: best, result };
}

/** A step that does less; none when it cannot. */
function reduced(step: Step): Step[] {
  if (step.kind === "permits" && step.costs.length > 1) return [{ ...step, costs: step.costs.slice(0, 1) }];
  if (step.kind === "traffic" && step.count > 1) return [{ ...step, count: 1 }];
  if ((step.kind === "register" || step.kind === "heartbeat") && step.origins.length > 1) {
    return [{ ...step, origins: step.origins.slice(0, 1) }];
  }
  return [];
}
