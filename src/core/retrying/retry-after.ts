/** The field `Retry-After` of an answer (RFC 9110 10.2.3). */
import { limits } from "./limits.ts";

const secondsShape = /^\d+$/;
/** IMF-fixdate and the obsolete RFC 850 date (RFC 9110 5.6.7). */
const zonedShape = /^[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -](\d{2}|\d{4}) \d{2}:\d{2}:\d{2} GMT$/;
/** The obsolete date of asctime(): UTC without saying so. */
const asctimeShape = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

/**
 * How long the origin asks to wait, in ms: in [0, 2^31 s], 0 for a date that has passed; null for no field or one that
 * makes no sense. `parseDate` reads a date as `Date.parse` does, with NaN for what is none; it only sees the three forms
 * that HTTP knows, with their time zone.
 */
export function retryAfterMs(text: string | null, nowMs: number, parseDate: (text: string) => number): number | null {
  const value = text?.trim() ?? "";
  const maxMs = limits.retryAfterSecondsMax * 1_000;
  if (secondsShape.test(value)) return Math.min(Number(value) * 1_000, maxMs);
  const atMs = dateMs(value, parseDate);
  return Number.isNaN(atMs) ? null : Math.min(Math.max(atMs - nowMs, 0), maxMs);
}

function dateMs(value: string, parseDate: (text: string) => number): number {
  if (zonedShape.test(value)) return parseDate(value);
  return asctimeShape.test(value) ? parseDate(`${value} GMT`) : Number.NaN;
}
