/** Inner numbers of balancing; what a user can feel is in `bounds.ts`. */
export const limits = Object.freeze({
  /** Time constant with which a cost fades (Finagle's default). */
  costFadeMs: 10_000,
  /** Costs below this are the same: the clock of a Worker counts whole milliseconds. */
  costMsMin: 1,
  /** What a failure costs at least, and at most by doubling. */
  failureCostMsMin: 1_000,
  failureCostMsMax: 60_000,
  /** Requests under way to an origin that has not answered yet, up to which it is taken to be fast. */
  probesMax: 3,
  /** Share of its weight with which a new origin begins. */
  slowStartShareMin: 0.1,
  /** Parts of a slow start in which the weights stay what they are. */
  slowStartSteps: 100,
  /** Choices from all origins that a retry makes in the hope of one that it has not tried; of the owner of a key one. */
  passesMax: 8,
  /** Keys of `consistent-hash` whose owners one isolate remembers, for each service and version. */
  ownersMemoMax: 2_048,
  /** Share of good origins below which the bad ones are used too (Envoy's default panic threshold). */
  panicShareMin: 0.5,
  /** Share of a zone's origins that must be good for the zone to keep its requests. */
  zoneShareMin: 0.5,
});
