/**
 * Client-side throttling of one service in one isolate (Google SRE book, "Handling Overload"): an origin that answers 429
 * or 503 is spared most of what it would refuse anyway. With more demand than twice what it accepts (ratio 2), it is sent
 * about twice that.
 *
 * Unlike in the book a request counts when it is answered (or refused here): one under way has neither been accepted nor
 * not, and would make an isolate that has just started refuse the second of two requests at once.
 */
import { add, newRolling, type Rolling, total } from "../rolling.ts";
import { limits } from "./limits.ts";
import type { ThrottleSettings } from "./types.ts";

/** Counters of the window. */
const requests = 0;
const accepts = 1;

/** Answers and refusals of the last `windowMs`. */
export type Throttle = Rolling;

/** Nothing answered yet. Make a new one when `windowMs` has changed. */
export function newThrottle({ windowMs }: ThrottleSettings): Throttle {
  return newRolling(windowMs, limits.windowSlots, 2);
}

/** Whether a request may be sent; refused with probability `max(0, (requests - ratio * accepts) / (requests + 1))`. */
export function throttleAdmits(
  state: Throttle,
  { ratio }: ThrottleSettings,
  nowMs: number,
  random: () => number,
): boolean {
  const sent = total(state, requests, nowMs);
  const refusedShare = (sent - ratio * total(state, accepts, nowMs)) / (sent + 1);
  if (random() >= refusedShare) return true;
  add(state, requests, 1, nowMs);
  return false;
}

/** An origin has answered: accepted is every status but 429 and 503. A request without an answer says nothing here. */
export function noteAnswer(state: Throttle, isAccepted: boolean, nowMs: number): void {
  add(state, requests, 1, nowMs);
  if (isAccepted) add(state, accepts, 1, nowMs);
}
