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
  /** Most changes of the configuration listed in one answer. */
  changesListedMax: 1_000,
  /** Revisions of the configuration kept; older ones are deleted, the newest first to stay. */
  revisionsKeptMax: 1_000,
  revisionsPerPageDefault: 20,
  revisionsPerPageMax: 200,
  /** Longest note of a revision, in characters. */
  noteLengthMax: 500,
  /** How often a patch without If-Match is merged anew because another writer came first. */
  patchTriesMax: 5,
  /** Refusals of revisions by isolates that are kept; the newest. */
  rejectionsKeptMax: 100,
  /** Writes of the admin API that are kept; the newest. */
  auditKeptMax: 10_000,
  /** Longest path with query of a write that is kept, in characters; more is cut off. */
  auditTargetLengthMax: 1_000,
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
  /** Largest regular expression, in steps of its machine: about its characters, those that are repeated as often as they are. */
  regexStepsMax: 5_000,
  /** What one expression remembers of the texts it has seen, in numbers of 8 bytes. */
  regexCellsMax: 5_000,
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
  /** Longest pause, recovery, slow start or time for which a breaker is open, in the document. */
  pauseSecondsMax: 3_600,
  breakerOpenSecondsMin: 0.1,
  /** Longest window over which a breaker or a throttle judges. */
  outcomeWindowSecondsMax: 600,
  /** Most results in a window, or requests under way, that a threshold may ask for. */
  requestsCountedMax: 1_000_000,
  /** Most results in a row, or probes, that a threshold may ask for. */
  resultsInRowMax: 1_000,
  checkTimeoutMsMax: 60_000,
  checkStatusesMax: 16,
  /** Requests let through per accepted one while throttling. */
  throttleRatioMax: 100,
  /** Places of the world that a service maps to its zones. */
  zonePlacesMax: 1_000,
  retriesMax: 10,
  retryCodesMax: 64,
  retryBodyBytesMax: 10 * 1024 * 1024,
  retryBudgetPerSecondMax: 10_000,
  /** Longest pause before a retry, and longest `minDelayMs` of a hedge. */
  backoffMsMax: 60_000,
  hedgingPercentileMin: 1,
  hedgingPercentileMax: 99.9,
  mirrorsPerRouteMax: 4,
  /** A mirrored request runs after the answer, and the platform ends what takes longer. */
  mirrorTimeoutMsMax: 30_000,
  faultsPerRouteMax: 16,
  faultDelayMsMax: 60_000,

  // --- A request ---------------------------------------------------------------------------------------------------
  /** Scheme, host and port of requests that an isolate remembers in parsed form. */
  authoritiesMax: 1_000,
  /** Longest text of them that is remembered, in characters: a host name has 253 at most. */
  authorityLengthMax: 300,
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
  /** An origin that ends a connection later than this, before the client has sent the whole body, is not to blame. */
  uploadPatienceMs: 1_000,
  /** A body up to this size fits the buffers on the way to an origin, so that nobody need watch whether it is taken. */
  pipedBodyBytesMax: 64 * 1024,
  /** Memory for the pieces of one body that is read here; less at first when its length is unknown. */
  pieceBytesMax: 64 * 1024,
  pieceBytesFirst: 16 * 1024,
  /** A body up to this size is kept for mirrors and for a fallback service, in bytes; a larger one reaches neither. */
  copiedBodyBytesMax: 64 * 1024,
  /** Copies for mirrors under way at once in one isolate; above it none is made. */
  mirrorsUnderWayMax: 64,
  /** Budget of hedges on a route without `retries`. */
  hedgingBudget: Object.freeze({ percent: 20, minPerSecond: 10 }),
  corsMaxAgeSecondsMax: 86_400,
  corsMaxAgeSecondsDefault: 5,

  // --- Traffic -----------------------------------------------------------------------------------------------------
  /** Buckets of a sticky split: the grain of a weight is 1/10,000. */
  splitBuckets: 10_000,

  // --- Retries -----------------------------------------------------------------------------------------------------
  /** Time over which the retry budget counts requests and retries. */
  retryBudgetMs: 10_000,
  /** Longest `Retry-After` that a retry waits for; after a longer one there is no retry. */
  retryAfterMsMax: 60_000,
  /** Time over which latencies count for hedging, and how many of them there must be before a hedge is sent. */
  hedgingWindowMs: 60_000,
  hedgingSamplesMin: 20,

  // --- Balancing ---------------------------------------------------------------------------------------------------
  /** A place in a service counts as taken in the turn in which it was and the one after, even if its end is never seen. */
  inFlightTurnMs: 300_000,
  /** The same of what balancing counts. As short as a request's usual timeout: nobody is told of a client that leaves. */
  loadTurnMs: 30_000,

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
  /** Age up to which the isolates of a location share a manifest; at least half of it. Counts as age of the snapshot. */
  manifestSharedMsMax: 250,
  /** How long a location keeps a manifest to be compared with, and a section, whose text never changes. */
  manifestCachedSeconds: 60,
  sectionCachedSeconds: 86_400,
  /** Sections looked for in the location's cache at once; a cold isolate that needs more asks the control plane. */
  sectionsNearMax: 16,
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
  /** One that finds its limiter in use comes again so long after it could have done its work; less than what is too late. */
  limiterAlarmPauseMs: 1_800_000,
  /** Pause between two lines of the log about limits in shadow mode or without their object. */
  limitEventPauseMs: 1_000,
  /** Failed calls in a row after which a key's limiter is left alone, and for how long. */
  limiterFailuresMax: 3,
  limiterOpenMs: 1_000,
  /** Keys whose failures an isolate remembers. */
  limiterFailingKeysMax: 1_000,

  // --- Load shedding
  /** How long an isolate may use a grant of `maxConcurrentRequests`; it is renewed by each report. */
  concurrencyTtlMs: 5_000,
  /** Pause between two writes that say until when such grants may be out: an object that starts later need not wait. */
  concurrencyStoreMs: 10_000,
  /** Isolates of one service that may hold such grants: with so many, each still reports every 3.3 s. */
  concurrencyIsolatesMax: 1_000,
  /** An isolate stops using a grant this long before it ends: its clock may stand still between two waits. */
  concurrencyGuardMs: 25,
  /** Pause between two times that an isolate asks for more when it got less than it wanted. */
  concurrencyAskPauseMs: 250,
  /** An isolate asks for its recent peak, which fades with this time constant, and for a quarter more. */
  concurrencyPeakMs: 2_000,
  concurrencyHeadroom: 1.25,
  /** Isolates assumed when the object has never said how many there are. */
  concurrencyIsolatesAssumed: 10,

  // --- Health of services ------------------------------------------------------------------------------------------
  /** Shortest pause between two reports of an isolate, and reports a second that the object of a service takes in all. */
  healthReportMsMin: 1_000,
  healthReportsPerSecond: 300,
  /** Isolates remembered by the object, and for how long after their last report. */
  healthIsolatesMax: 10_000,
  healthIsolateKeptMs: 60_000,
  /** Cells, results of probes and wishes for probes read from one report: of each so many. */
  healthItemsPerReportMax: 1_000,
  /** Results older than this count nowhere. */
  healthCellAgeMsMax: 60_000,
  /** Origins of one service whose failures are remembered. */
  healthOriginsMax: 2_000,
  /** Versions of one service that have a breaker; one unseen and closed for `breakerIdleMs` makes room for another. */
  breakerVersionsMax: 64,
  breakerIdleMs: 600_000,
  /** How long an isolate may hold a permit to probe unused, and how long after that it may take to report the result. */
  probeUseMs: 2_000,
  probeResultMs: 10_000,
  /** Longest ejection of an origin, before jitter. */
  ejectionMsMax: 300_000,

  // --- Sense of health in an isolate
  /** Versions of one service for which an isolate has a breaker of its own. */
  senseVersionsMax: 1_000,
  /** Results of an origin within this time are reported as one. */
  senseSlotMs: 1_000,
  /** Failures in a row of an origin or a version that are reported at once. */
  senseFailuresUrgent: 3,
  /** Least pause before what is urgent, and before another wish for a probe: these parts of the regular one. */
  senseUrgentDivisor: 10,
  senseAskDivisor: 4,
  /** A report without an answer for this long is given up, if nobody has said so. */
  senseFlightMsMax: 2_000,
  /** Longest pause after reports that had no answer, before jitter; unless even the regular pause is longer. */
  senseRetryMsMax: 10_000,
  /** A probe that has no result yet is reported as failed this long before its permit ends. */
  senseProbeLeadMs: 500,

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

  // --- Active health checks ----------------------------------------------------------------------------------------
  /** Checks of one service under way at once: the platform lets six connections wait for headers. */
  checksAtOnceMax: 6,
  /** First checks of origins are spread over this time, or over the interval if that is shorter. */
  checkSpreadMs: 1_000,
  /** A check that has not ended this long after its timeout is given up for lost. */
  checkLostMs: 1_000,
  /** How much later than the timer the alarm comes that goes on checking: setting an alarm costs a write. */
  checkAlarmLateMs: 10_000,
  /** Shortest time between two orders of the same configuration: during a deploy two Workers may compile it differently. */
  checkOrderPauseMs: 60_000,
  /** An order that nobody has confirmed for this long ends: its service may be declared no more. */
  checkOrderMsMax: 86_400_000,
  /** An isolate confirms an order that is in force once in this time. */
  checkOrderConfirmMs: 3_600_000,
  /** Pause before an isolate sends an order again that has not shown in the snapshot. */
  checkOrderRetryMs: 5_000,
  /** Checks that pass within this time are told to the health object in one call. */
  checkPassedDelayMs: 1_000,
  /** Events that go to the control plane with one publication; the newest. */
  eventsPerPublicationMax: 100,

  // --- Health objects and events -----------------------------------------------------------------------------------
  /** Events that the control plane keeps; the oldest go first. */
  eventsKeptMax: 10_000,
  eventsPerCallDefault: 100,
  eventsPerCallMax: 1_000,
  /** Events that a health object keeps until the control plane has taken them; the oldest go first. */
  unpublishedEventsMax: 1_000,
  /** Deadline of an isolate's report to a health object. */
  healthReportMsMax: 1_000,
  /** Age from which the wait for the next report is given to a younger request, before the end of its own ends it. */
  healthWaitMsMax: 10_000,
  /** What an isolate senses of a service is forgotten after so long without a request to it. */
  healthSenseKeptMs: 600_000,
  /** Reports that a request waits for, one after the other, for a slot of a service with `maxConcurrentRequests`. */
  enterRoundsMax: 3,

  // --- Watching ----------------------------------------------------------------------------------------------------
  /** How long a call waits for an event. */
  watchWaitSecondsDefault: 25,
  watchWaitSecondsMin: 1,
  watchWaitSecondsMax: 55,
  /** Events in one answer. */
  watchEventsPerPageMax: 200,
  /** Calls that wait, and WebSockets, of one object. */
  watchersMax: 256,
  /** Characters that one WebSocket carries, but for its last event; with `watchersMax` what may wait in memory for clients. */
  watcherCharactersMax: 256 * 1024,
  /** Messages that a client may send on one WebSocket, and the length of each, in characters or bytes. */
  watcherMessagesMax: 100,
  watcherMessageLengthMax: 1_024,
  /** Changes of the manifest that are kept for watchers; older ones are compacted. */
  manifestChangesKeptMax: 10_000,

  // --- Admin API ---------------------------------------------------------------------------------------------------
  /** Largest body of any admin call other than the configuration, in bytes. */
  adminBodyBytesMax: 256 * 1024,
  servicesPerPageDefault: 100,
  servicesPerPageMax: 500,
  /** Routes that lost and origins that an explanation lists; the rest are counted. */
  explainedRoutesMax: 20,
  explainedOriginsMax: 100,
  /** Longest URL to explain, in characters: that of a request, as the platform takes it. */
  explainedUrlMax: 16 * 1024,
  /** Longest value of a request that an explanation repeats, in characters; of a longer one the beginning. */
  explainedTextMax: 200,
});
