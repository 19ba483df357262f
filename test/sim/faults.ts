/** What may go wrong in a schedule; each seed has some of it. */

/** Shares are of messages, unless it says otherwise; times in ms. All zero: nothing goes wrong. */
export interface Faults {
  /** Lost on the way there, and on the way back: half of them are told to the caller as an error, half never. */
  readonly loss: number;
  readonly duplicate: number;
  /** Up to `lateMsMax` late: overtaken by others. */
  readonly late: number;
  /** How late an alarm may be. */
  readonly alarmLateMs: number;
  /** How long a write may take until it is durable. */
  readonly storageMs: number;
  /** How far an isolate's clock may stand still, and how much an object's clock may be behind that of the start before. */
  readonly standsStillMs: number;
  readonly objectSkewMs: number;
  /** Share of what is read from a location's cache that is missing or not what was put there. */
  readonly cacheLoss: number;
}

export const noFaults: Faults = {
  loss: 0,
  duplicate: 0,
  late: 0,
  alarmLateMs: 0,
  storageMs: 0,
  standsStillMs: 0,
  objectSkewMs: 0,
  cacheLoss: 0,
};

export const lateMsMax = 1_500;

/** Latency of a message, one way, when nothing goes wrong any more. */
export const calmLatencyMs: readonly [number, number] = [1, 5];

/** For so long after the beginning nothing goes wrong, so that there is a configuration. */
export const calmMs = 100;
