/** The health object of one service, as isolates and the admin API see it. */
import type { Forced, HealthReply, HealthReport } from "../core/breaking/types.ts";
import { callObject } from "./call.ts";

type HealthStub = ReturnType<Env["SERVICE_HEALTH"]["getByName"]>;

/** A stub fails when it outlives its request, so each call makes its own. */
const stubOf = (env: Env, service: string): HealthStub => env.SERVICE_HEALTH.getByName(service);

/** Reports. Without a deadline, and with the platform's errors as they come: who waits has a timer of its own. */
export async function reportHealth(env: Env, service: string, report: HealthReport): Promise<HealthReply> {
  return await stubOf(env, service).report(report);
}

/** Everything that is known of the service's breakers and ejected origins. */
export function describeHealth(env: Env, service: string) {
  return callObject(true, async () => await stubOf(env, service).describe());
}

/** Puts an operator's order in force, or ends it. `version` null: of the whole service. */
export function forceBreaker(env: Env, service: string, version: string | null, state: Forced) {
  return callObject(true, async () => await stubOf(env, service).force({ version, state }));
}
