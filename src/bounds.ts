/**
 * Every bound and default of the gateway, in one place. A name ends in its unit; `Max`/`Min` marks a bound, `Default` a
 * value that a person may override in the configuration. Nothing here is read from the environment. The inner numbers of
 * rate limiting, which only its algorithms read, are in `core/limiting/limits.ts`.
 */
export const bounds = Object.freeze({
  // --- Configuration document -------------------------------------------------------------------------------------
  /** Largest configuration document accepted, in bytes of its JSON text. */
  configBytesMax: 8 * 1024 * 1024,
  /** Deepest nesting of any JSON text accepted by the admin API. */
  jsonDepthMax: 32,
  /** Most problems listed in one answer; the rest are counted. */
  issuesMax: 100,
  /** Most changes listed in the answer to a `PUT` of the configuration. */
  changesListedMax: 1_000,
  /** Revisions of the configuration kept; older ones are deleted, the newest first to stay. */
  revisionsKeptMax: 1_000,
  servicesMax: 10_000,
  staticOriginsPerServiceMax: 1_000,
  routesMax: 20_000,
  matchesPerRouteMax: 64,
  hostsPerRouteMax: 64,
  /** Entries of the route table: the sum over all routes of hosts x matches. */
  routeEntriesMax: 50_000,
  criteriaPerMatchMax: 32,
  trafficRulesPerRouteMax: 32,
  splitVersionsMax: 16,
  headerEditsMax: 64,
  /** Longest name (route, service, origin, version, limit, zone) in characters. */
  nameLengthMax: 128,
  /** Longest path, header value or regular expression in the document, in characters. */
  patternLengthMax: 1_024,
  /** Longest value of a header that the gateway sets, in characters. */
  headerValueLengthMax: 8_192,
  weightMax: 1_000_000,
  /** Largest limit or burst, in permits. */
  rateLimitMax: 1_000_000_000,
  /** Windows of one limit. */
  rateLimitWindowsMax: 8,
  /** Longest time for which a leaky bucket may hold a request back. */
  rateLimitDelayMsMax: 60_000,
  /** Longest text of a client key that names an object as it is; a longer one is hashed. */
  limitKeyLengthMax: 200,

  // --- A request ---------------------------------------------------------------------------------------------------
  /** Body limit when the document does not say, in bytes. */
  bodyBytesDefault: 100 * 1024 * 1024,
  bodyBytesMax: 5 * 1024 * 1024 * 1024,
  /** Time to the response's headers when the route does not say. 0 in the document means no limit. */
  requestTimeoutMsDefault: 30_000,
  requestTimeoutMsMax: 3_600_000,
  trustedProxyHopsMax: 16,
  /** A request whose `Via` names this gateway more often than this is refused as a loop. */
  loopPassesMax: 3,
  requestIdLengthMax: 128,
  /** Extra tries of a safe request after a pooled connection turned out to be closed. */
  staleConnectionRetriesMax: 1,
  corsMaxAgeSecondsMax: 86_400,
  corsMaxAgeSecondsDefault: 5,

  // --- Traffic -----------------------------------------------------------------------------------------------------
  /** Buckets of a sticky split: the grain of a weight is 1/10,000. */
  splitBuckets: 10_000,

  /** A request counts as under way in the turn in which it began and the one after, even if its end is never seen. */
  inFlightTurnMs: 60_000,

  // --- Snapshot ----------------------------------------------------------------------------------------------------
  /** Age up to which an isolate uses its snapshot without asking. */
  snapshotFreshMs: 500,
  /** Age up to which a snapshot is used while a refresh runs; with an older one a request waits for the refresh. */
  snapshotStaleMaxMs: 900,
  /** How long a request waits for a refresh before it is served from the last good snapshot. */
  snapshotWaitMsMax: 1_500,
  /** A refresh that has run this long is dead and may be replaced by another. */
  snapshotFlightMsMax: 5_000,
  /** After a failed refresh, how long requests are served from the last good snapshot without waiting for another. */
  snapshotOutageMsMax: 10_000,
  /** Sections asked for in one call to the control plane. */
  sectionsPerCallMax: 256,
  /** Times a refresh starts over because a section was replaced under it. */
  snapshotRefreshTriesMax: 3,
  /** Largest piece of a blob in one SQLite row, in UTF-16 units (a row holds at most 2 MB). */
  blobPartLengthMax: 500_000,

  // --- Rate limits
  /** How long a request waits for the limiter before `onUnavailable` decides. */
  limiterCallMsMax: 150,
  /** How long, and how often, a request asks again when others took what was granted; then it is refused. */
  limiterWaitMsMax: 1_000,
  limiterRoundsMax: 64,
  /** A client without a key gains nothing by waiting; it is told this, as a 429 must say something. */
  limitUnkeyedRetryMs: 1_000,
  /** The alarm that ends a limiter's idle state stays unless it would come this much too late: setting one costs a write. */
  limiterAlarmLateMsMax: 3_600_000,
  /** Pause between two lines of the log about limits in shadow mode or without their object. */
  limitEventPauseMs: 1_000,
  /** Failed calls in a row after which a key's limiter is left alone, and for how long. */
  limiterFailuresMax: 3,
  limiterOpenMs: 1_000,
  /** Keys whose failures an isolate remembers. */
  limiterFailingKeysMax: 1_000,

  // --- Calls to Durable Objects ------------------------------------------------------------------------------------
  /** Deadline of one call from the admin API to an object. */
  objectCallMsMax: 5_000,
  /** Calls to objects under way at once for one request (the platform allows six). */
  objectCallsAtOnceMax: 5,

  // --- Registry ----------------------------------------------------------------------------------------------------
  leaseTtlSecondsDefault: 15,
  leaseTtlSecondsMin: 5,
  leaseTtlSecondsMax: 300,
  originsPerServiceMax: 1_000,
  /** `metadata` of an origin: entries, and characters of a key and of a value. */
  metadataEntriesMax: 32,
  metadataLengthMax: 256,
  originUrlLengthMax: 2_048,
  /** Leases renewed in one call. */
  heartbeatsPerCallMax: 1_000,
  /** Grace of a drain when the call does not say, and its bound. 0 removes the origin at once. */
  drainGraceSecondsDefault: 30,
  drainGraceSecondsMax: 3_600,
  /** Events kept for watchers by one registry; older ones are compacted. */
  registryEventsKeptMax: 10_000,
  /** Events in one answer: a thousand of the largest stay below the 32 MiB that a call may carry. */
  registryEventsPerCallMax: 1_000,
  /** Changes within this time are published to the control plane as one. */
  publishDelayMs: 50,
  /** Pause before a failed publication is tried again. */
  publishRetryMs: 1_000,
  /** Leases from which a service is protected against mass expiry. */
  freezeLeasesMin: 10,
  /** Share of leases renewed in time below which a mass expiry is suspected, not believed. */
  freezeRenewedShareMin: 0.85,
  /** A freeze ends after this time even if the renewals have not come back. */
  freezeMsMax: 600_000,
  /** Share of a service's leases expired in one pass after a freeze ended by its time. */
  expireShareMax: 0.15,
  /** Pause between two such passes. */
  expirePassMs: 1_000,
  /** Starts of a registry that may extend a lease which has not been renewed since. */
  restartExtensionsMax: 3,

  // --- Admin API ---------------------------------------------------------------------------------------------------
  /** Largest body of any admin call other than the configuration, in bytes. */
  adminBodyBytesMax: 256 * 1024,
  servicesPerPageDefault: 100,
  servicesPerPageMax: 500,
});
