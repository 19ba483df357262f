/** Who is checked actively, and the marks of those that fail. */
import { bounds } from "../../bounds.ts";
import { digestInForce } from "../checking/order.ts";
import type { AdoptedOrder } from "../checking/types.ts";
import { append } from "./book.ts";
import type { Book, Change } from "./types.ts";

/** URLs by id of everybody who is to be checked; draining origins are not. An id that the order lists is the order's. */
export function targetsOf({ origins, checkOrder }: Book): Map<string, string> {
  if (checkOrder === null || checkOrder.settings === null) return new Map();
  const leased = [...origins.values()].filter(({ state }) => state !== "draining");
  return new Map([...leased, ...checkOrder.staticOrigins].map(({ id, url }) => [id, url]));
}

/** Marks an origin, or takes its mark away; no event when that changes nothing. */
export function mark(book: Book, change: Change, origin: string, isHealthy: boolean): void {
  if (book.unhealthy.has(origin) !== isHealthy) return;
  if (isHealthy) book.unhealthy.delete(origin);
  else book.unhealthy.add(origin);
  append(book, change, { type: isHealthy ? "healthy" : "unhealthy", origin, body: null });
}

/** Puts an order in force, or none. Marks stay with those that are checked still and have not moved. */
export function setOrder(book: Book, change: Change, order: AdoptedOrder | null): void {
  const before = targetsOf(book);
  book.checkOrder = order;
  append(book, change, { type: "checks", origin: null, body: { digest: digestInForce(order) } });
  const after = targetsOf(book);
  for (const id of book.unhealthy) {
    const url = after.get(id);
    if (url === undefined || url !== before.get(id)) mark(book, change, id, true);
  }
}

/** When the order ends for want of confirmation; never if it orders nothing. */
export function lapsesAtMs({ checkOrder }: Book): number {
  return checkOrder?.settings ? checkOrder.confirmedMs + bounds.checkOrderMsMax : Number.POSITIVE_INFINITY;
}
