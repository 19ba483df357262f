/** The algorithm of each kind of window. */
import { bucket } from "./bucket.ts";
import { calendarWindow } from "./calendar.ts";
import { epochWindow, fixedWindow } from "./fixed.ts";
import { slidingWindow } from "./sliding.ts";
import type { Meter, WindowSpec } from "./types.ts";

/** State of any meter: plain data that only the meter made from the same shape of window reads. */
export type MeterState = unknown;

/** The meter of a window. */
export function meterOf(spec: WindowSpec): Meter<MeterState> {
  return algorithmOf(spec) as Meter<MeterState>;
}

/** Windows of the same shape share their state: they differ in numbers only. */
export function shapeOf(spec: WindowSpec): string {
  switch (spec.kind) {
    case "calendar-window":
      return `${spec.kind} ${spec.unit} ${spec.timeZone}`;
    case "token-bucket":
    case "leaky-bucket":
      return "bucket";
    default:
      return `${spec.kind} ${spec.windowMs}`;
  }
}

function algorithmOf(spec: WindowSpec) {
  switch (spec.kind) {
    case "sliding-window":
      return slidingWindow(spec.limit, spec.windowMs);
    case "fixed-window":
      return fixedWindow(spec.limit, (nowMs) => epochWindow(spec.windowMs, nowMs));
    case "calendar-window":
      return fixedWindow(spec.limit, (nowMs) => calendarWindow(spec.unit, spec.timeZone, nowMs));
    case "token-bucket":
      return bucket({ ...spec, maxDelayMs: 0 });
    case "leaky-bucket":
      return bucket(spec);
  }
}
