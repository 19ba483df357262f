/** The bill per million requests, by Cloudflare's list prices. */
import type { Counted } from "./counted.ts";

/** Dollars per million. */
const prices = { request: 0.3, objectRequest: 0.15, row: 1, gbSecond: 12.5 } as const;
/** Memory that an object is billed for, in GB. */
const objectGb = 0.128;

/** What a million requests cost, in dollars. */
export interface Bill {
  readonly name: string;
  readonly requests: number;
  readonly objects: number;
  readonly rows: number;
  readonly duration: number;
  readonly total: number;
}

type Use = Pick<Counted, "name" | "calls" | "rows" | "seconds">;

/** One call and one row for each request, as is usual, for 1 ms each. */
export const naive: Use = { name: "naive", calls: 1, rows: 1, seconds: 0.001 };

/** From what was counted per request. */
export function billOf({ name, calls, rows, seconds }: Use): Bill {
  const parts = {
    requests: prices.request,
    objects: calls * prices.objectRequest,
    rows: rows * prices.row,
    duration: seconds * objectGb * prices.gbSecond,
  };
  return { name, ...parts, total: parts.requests + parts.objects + parts.rows + parts.duration };
}
