import { digestOf } from "../../../../src/core/checking/order.ts";
import type { CheckOrder, CheckSettings } from "../../../../src/core/checking/types.ts";
import { emptyBook } from "../../../../src/core/leasing/book.ts";
import { register } from "../../../../src/core/leasing/leases.ts";
import type { Book, Change, OriginView, Registration } from "../../../../src/core/leasing/types.ts";

export const ttlMs = 15_000;

/** A registration with all that a test does not care about. */
export function registration(id: string, rest: Partial<Registration> = {}): Registration {
  return { id, url: `https://${id}.example.com`, version: null, weight: 1, zone: null, metadata: {}, ttlMs, ...rest };
}

export const checkSettings: CheckSettings = {
  path: "/healthz",
  intervalMs: 10_000,
  timeoutMs: 1_000,
  statuses: [[200, 299]],
  healthyAfter: 2,
  unhealthyAfter: 3,
};

/** An order with all that a test does not care about, and its digest. */
export function checkOrder(rest: Partial<CheckOrder> = {}): CheckOrder {
  const order = { revision: 1, settings: checkSettings, staticOrigins: [], returnsEjected: false, ...rest };
  return { ...order, digest: digestOf(order) };
}

/** A book with origins o00, o01 ... registered at `nowMs` under the leases l00, l01 ... */
export function bookOf(count: number, nowMs = 0): Book {
  const book = emptyBook();
  for (let n = 0; n < count; n++) register(book, registration(idOf(n)), nowMs, leaseOf(n).leaseId);
  return book;
}

export const idOf = (n: number): string => `o${String(n).padStart(2, "0")}`;
export const leaseOf = (n: number) => ({ origin: idOf(n), leaseId: `l${String(n).padStart(2, "0")}` });
/** The leases from `first` up to but not including `end`. */
export const leasesOf = (first: number, end: number) =>
  Array.from({ length: end - first }, (_, n) => leaseOf(first + n));

/** Types and origins of the events, as "put a". */
export const eventsOf = (change: Change): string[] =>
  change.events.map(({ type, origin }) => (origin === null ? type : `${type} ${origin}`));

/** What is listed, as "a ready". */
export const statesOf = (origins: readonly OriginView[]): string[] => origins.map(({ id, state }) => `${id} ${state}`);
