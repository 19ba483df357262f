/** Every bound of rate limiting; the unit is in the name. */
export const limits = Object.freeze({
  // --- Leases -----------------------------------------------------------------------------------------------------
  /** Shortest lease: longer than a call to the object may take, so that a granted permit can still be spent. */
  leaseMsMin: 250,
  /** Longest lease. What an isolate had in hand when it died is charged for so long, and in a window until that ends. */
  leaseMsMax: 300_000,
  /** A window's lease is this part of the window, if that is more than the shortest for its kind. */
  leaseDivisor: 20,
  /** Shortest lease of a sliding window. */
  slidingLeaseMsMin: 500,
  /** Shortest lease of a fixed or calendar window; of a window that is shorter, all of it. */
  fixedLeaseMsMin: 60_000,
  /** A bucket's lease is what refills this part of the burst. */
  bucketLeaseDivisor: 8,
  /** A bucket that holds less than this is asked for every request: leasing would cost it whole permits. */
  leasedBurstMin: 20,
  /** Windows shorter than this are leased only when they admit more than `exactPerSecondMax`. */
  leasedWindowMsMin: 10_000,
  exactPerSecondMax: 100,
  /** An isolate stops spending this long before its lease ends: its clock may stand still between two waits. */
  guardMs: 25,

  // --- The lease book ---------------------------------------------------------------------------------------------
  /** Slices of a sliding window's log: a charge is held up to 1/200 of the window too long. */
  slicesPerWindow: 200,
  /** Isolates remembered for one key; beyond, the one unseen for longest is forgotten and its charges stay. */
  isolatesMax: 256,
  /** Leases of one isolate that can still be settled; older ones count as spent. */
  leasesPerIsolateMax: 4,
  /** An isolate counts as active for 10 leases after it was seen, within these bounds, and at least for its lease. */
  activeLeases: 10,
  activeMsMin: 10_000,
  activeMsMax: 60_000,
  /** An isolate that was not seen for this long is forgotten. */
  isolateKeptMs: 600_000,
  /** A lease covers the expected demand of its time and a quarter more. */
  demandHeadroom: 1.25,
  /** A sliding window's lease covers demand of at most this part of the window. */
  slidingDemandDivisor: 10,
  /** Less than half is free: a lease takes at most this part of an even share of it. */
  shareDivisor: 2,
  /** Demand of this time is granted whatever the share. */
  soonMs: 1_000,
  /** Time for which a durable chunk of a hot key lasts, and the calls a second from which a key is hot. */
  chunkMs: 500,
  hotCallsPerSecond: 10,
  /** A chunk is at most this part of what is free: it is what a crash may lose. */
  chunkDivisor: 4,
  /** Time constant of the rates of calls and grants that the object measures. */
  flowMs: 1_000,
  /** All isolates together ask again at most once in this time after denials; each after this part of the window. */
  denyWindowDivisor: 10,
  denyBucketDivisor: 2,
  denyMsPerIsolate: 200,
  /** Longest time for which a denial is remembered; the client may be told to wait longer. */
  denyMsMax: 10_000,
  /** State without charges is kept this long, so that a clock that steps back finds it. */
  idleMarginMs: 60_000,

  // --- The isolate's table ----------------------------------------------------------------------------------------
  /** Keys remembered by one isolate, at least the last half of these that were asked for; about 0.7 KiB each. */
  entriesMax: 32_000,
  /** Time constant of the demand estimate. */
  demandMs: 2_000,
  /** The next lease is asked for while permits for this much demand are in hand, or for that part of a lease if it is less. */
  prefetchMs: 100,
  prefetchDivisor: 5,
  /** Below this demand in that time, in permits, nothing is asked for in advance. */
  prefetchPermitsMin: 2,
  /** A denial is remembered up to this part longer, at random, so that isolates do not ask in step. */
  denyJitter: 0.1,
  /** A call that has run this long is dead and may be replaced by another. */
  flightMsMax: 5_000,
  /** Settled leases waiting to be reported for one key; the oldest are dropped and count as spent. */
  reportsMax: 8,
  /** Pause between two exchanges of an approximate limit. */
  exchangeMs: 1_000,
  /** Isolates assumed when the object has never said how many there are. */
  isolatesAssumed: 10,
  /** The local bucket of `share` holds this part of the isolate's share of the smallest window. */
  shareBurstDivisor: 10,
});
