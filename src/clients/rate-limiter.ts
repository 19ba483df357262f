/** The limiter of one key, as requests and the admin API see it. Names of keys are those of `limitKeyOf`. */
import type { LeaseQuery, LeaseReply } from "../core/limiting/types.ts";
import { callObject } from "./call.ts";

type LimiterStub = ReturnType<Env["RATE_LIMITER"]["getByName"]>;

/** A stub fails when it outlives its request, so each call makes its own. */
const stubOf = (env: Env, key: string): LimiterStub => env.RATE_LIMITER.getByName(key);

/** Asks for permits. Without a deadline, and with the platform's errors as they come: who waits has a timer of its own. */
export async function leasePermits(env: Env, key: string, query: LeaseQuery): Promise<LeaseReply> {
  return await stubOf(env, key).lease(query);
}

/** What is charged and free, and which leases are out. */
export function peekLimit(env: Env, key: string) {
  return callObject(true, async () => await stubOf(env, key).peek());
}

/** Forgets what was spent; leases that are out stay charged. */
export function resetLimit(env: Env, key: string): Promise<void> {
  return callObject(true, async () => await stubOf(env, key).reset());
}
