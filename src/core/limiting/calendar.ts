/** Calendar windows: minute, hour, day and month of UTC or of a named time zone. */
import type { WindowBounds } from "./fixed.ts";
import type { CalendarUnit } from "./types.ts";

const unitMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** Further from any moment than two offsets of one zone can differ, and nearer than its next change of offset. */
const transitionRangeMs = 26 * unitMs.hour;

/**
 * The window that `nowMs` is in. Days and months begin when the local clock first shows their midnight, or first skips it.
 * Minutes and hours are cut by the offset in force, so an hour that the clock shows twice is two windows.
 */
export function calendarWindow(unit: CalendarUnit, timeZone: string, nowMs: number): WindowBounds {
  const offsetAt = offsets(timeZone);
  const localMs = nowMs + offsetAt(nowMs);
  if (unit === "minute" || unit === "hour") {
    const startMs = nowMs - modulo(localMs, unitMs[unit]);
    return { startMs, endMs: startMs + unitMs[unit] };
  }
  const number = unit === "day" ? Math.floor(localMs / unitMs.day) : monthOf(localMs);
  const startOf = (n: number) => firstMoment(unit === "day" ? n * unitMs.day : monthStartMs(n), offsetAt);
  // Where a clock is set back over midnight it shows yesterday again: the new day has begun all the same.
  const began = startOf(number + 1) <= nowMs ? number + 1 : number;
  return { startMs: startOf(began), endMs: startOf(began + 1) };
}

type OffsetAt = (ms: number) => number;

/** First moment at which the local clock shows `localMs` or later. */
function firstMoment(localMs: number, offsetAt: OffsetAt): number {
  let beforeMs = localMs - transitionRangeMs;
  let afterMs = localMs + transitionRangeMs;
  const before = offsetAt(beforeMs);
  const after = offsetAt(afterMs);
  if (before === after) return localMs - before;
  while (afterMs - beforeMs > 1) {
    const middleMs = Math.floor((beforeMs + afterMs) / 2);
    if (offsetAt(middleMs) === before) beforeMs = middleMs;
    else afterMs = middleMs;
  }
  return localMs - before < afterMs ? localMs - before : Math.max(afterMs, localMs - after);
}

/** Local time minus UTC at a moment, in ms. */
function offsets(timeZone: string): OffsetAt {
  if (timeZone === "UTC") return () => 0;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "iso8601",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (ms) => {
    const field: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) field[type] = Number(value);
    const days = daysFromCivil(field.year!, field.month!, field.day!);
    const localMs =
      days * unitMs.day + field.hour! * unitMs.hour + field.minute! * unitMs.minute + field.second! * 1_000;
    return localMs - Math.floor(ms / 1_000) * 1_000;
  };
}

/** Months since January of the year 0. */
function monthOf(localMs: number): number {
  const { year, month } = civilFromDays(Math.floor(localMs / unitMs.day));
  return year * 12 + month - 1;
}

function monthStartMs(number: number): number {
  return daysFromCivil(Math.floor(number / 12), modulo(number, 12) + 1, 1) * unitMs.day;
}

/** Days since 1970-01-01 of a Gregorian date (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

/** The reverse of `daysFromCivil`; same source. */
function civilFromDays(days: number): { readonly year: number; readonly month: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leapDays = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = ((monthFromMarch + 2) % 12) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month };
}

function modulo(value: number, divisor: number): number {
  return value - Math.floor(value / divisor) * divisor;
}
