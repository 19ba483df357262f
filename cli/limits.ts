/** Bounds of what the CLI does, as the gateway's are in `src/bounds.ts`. */
export const limits = Object.freeze({
  /** Deadline of one call to the gateway; of one that waits for events: after the wait. */
  callMsMax: 30_000,
  /** Tries of a call that only reads, and the pause before the second; each further pause is twice as long. */
  readTriesMax: 3,
  readRetryMs: 300,
  /** How often a document is merged anew because somebody else changed the configuration meanwhile. */
  conflictTriesMax: 5,
  /** Share of the clients that a canary is tried on, as the admin API has it: neither none nor all. */
  canaryPercentMin: 1,
  canaryPercentMax: 99,
  /** How long a call must take before a terminal is told that it does. */
  progressAfterMs: 700,
  progressMs: 200,
  /** Pause between two looks of `status`. */
  statusMs: 1_000,
  /** Longest and shortest pause after a failed call of what goes on for ever: `watch`, `register --keep`. */
  backoffMsMin: 500,
  backoffMsMax: 30_000,
  /** Deadline of one heartbeat: shorter than the shortest lease. */
  heartbeatMsMax: 4_000,
  /** How long a call of `watch` waits for an event, in seconds. */
  watchWaitSeconds: 25,
  /** Time between drain and removal when `register --keep` ends: isolates follow a change within a second. */
  leaveSecondsDefault: 2,
  leaveSecondsMax: 3_600,
  /** Revisions that `history` lists when it is not told, and the most it will. */
  historyDefault: 20,
  historyMax: 1_000,
  /** Widest help and prose, in columns. */
  widthMax: 80,
});
