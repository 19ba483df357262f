/** What `workers/counting.ts` has counted since its start. */
export interface Counts {
  /** Calls of objects, by the binding through which they were reached. */
  readonly calls: Record<string, number>;
  /** Rows written by SQL, and alarms set, which are rows too. */
  rows: number;
  /** Alarms that went off: requests to an object, by the bill. */
  alarms: number;
  /** Sum of how long calls took, as their callers saw it: at least the time for which objects were active. */
  callSeconds: number;
}
