/** Which order of checks is in force: what names one, and which of two counts. */
import { bounds } from "../../bounds.ts";
import { murmur3 } from "../traffic/hash.ts";
import type { AdoptedOrder, CheckOrder } from "./types.ts";

/** The order's digest: 16 hex digits. The same checks have the same digest in every isolate, in whatever order origins are listed. */
export function digestOf({ settings, staticOrigins, returnsEjected }: Omit<CheckOrder, "revision" | "digest">): string {
  const checks = settings && [
    settings.path,
    settings.intervalMs,
    settings.timeoutMs,
    settings.statuses,
    settings.healthyAfter,
    settings.unhealthyAfter,
  ];
  const origins = staticOrigins.map(({ id, url }) => [id, url]).sort(([a], [b]) => (a! < b! ? -1 : 1));
  const text = JSON.stringify([checks, origins, returnsEjected]);
  return [1, 2].map((seed) => murmur3(text, seed).toString(16).padStart(8, "0")).join("");
}

/** What isolates are told of the order in force; null: nothing is checked. */
export function digestInForce(order: CheckOrder | null): string | null {
  return order === null || order.settings === null ? null : order.digest;
}

/**
 * Does an order take the place of the one in force? One of a later configuration does. One of the same configuration does
 * `checkOrderPauseMs` after the last change at the earliest: while two Workers are deployed that compile a document
 * differently, they would otherwise take turns with every request.
 */
export function supersedes(order: CheckOrder, inForce: AdoptedOrder | null, nowMs: number): boolean {
  if (inForce === null) return true;
  if (order.digest === inForce.digest || order.revision < inForce.revision) return false;
  return order.revision > inForce.revision || nowMs - inForce.sinceMs >= bounds.checkOrderPauseMs;
}
