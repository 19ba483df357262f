/** Stage: a failure that the route orders for some requests, so that it can be rehearsed. */
import type { RequestFacts } from "../core/facts.ts";
import { holds } from "../core/traffic/condition.ts";
import { GatewayError } from "../errors.ts";
import type { Fault, Route } from "../snapshot/types.ts";

/** What happened; `mark` is for `sluice-decision`. */
export interface Injected {
  readonly refusal: GatewayError | null;
  readonly mark: "delay" | "abort";
}

/** The fault that the request may meet: the first whose conditions hold. */
export function faultFor({ faults }: Route, facts: RequestFacts): Fault | undefined {
  return faults.find(({ conditions }) => conditions === null || holds(conditions, facts));
}

/** Carries out the first fault whose conditions hold, if the draw hits; null: nothing happened. */
export async function injectFault(route: Route, facts: RequestFacts): Promise<Injected | null> {
  const fault = faultFor(route, facts);
  if (fault === undefined || Math.random() * 100 >= fault.percent) return null;
  if (fault.delayMs > 0) await scheduler.wait(fault.delayMs);
  if (fault.abortStatus === null) return { refusal: null, mark: "delay" };
  return { refusal: new GatewayError("fault_injected", { status: fault.abortStatus }), mark: "abort" };
}
