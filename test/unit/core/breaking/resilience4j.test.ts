/** The sequences that resilience4j tests (CircuitBreakerStateMachineTest and its variant with auto transition), as facts. */
import { type Case, runCases } from "./cases.ts";

/** 50 % failures or slow calls (4 s) of at least 5 in 20 s, open for 5 s, 4 calls while half-open. */
const settings = {
  windowMs: 20_000,
  minimumRequests: 5,
  failureRate: 0.5,
  slowCallMs: 4_000,
  slowCallRate: 0.5,
  openMs: 5_000,
  maxOpenMs: 5_000,
  halfOpenProbes: 4,
};
const opened = { batch: { fail: 5 }, is: "open" } as const;
const halfOpen = [opened, { wait: 5_000, is: "half-open" }] as const;
const noSuchOrder = "only forced-open and disabled can be ordered";

const cases: readonly Case[] = [
  {
    name: "shouldThrowCallNotPermittedExceptionWhenStateIsOpen",
    settings,
    steps: [opened, { do: "refused", is: "open" }],
  },
  {
    name: "shouldThrowCallNotPermittedExceptionWhenStateIsForcedOpen",
    settings,
    steps: [
      { force: "forced-open", is: "forced-open" },
      { do: "refused", is: "forced-open" },
    ],
  },
  {
    name: "shouldIncreaseCounterOnReleasePermission",
    settings,
    steps: [
      ...halfOpen,
      { begin: 6, let: 4, is: "half-open" },
      { end: "ignored", is: "half-open" },
      { begin: 2, let: 1, is: "half-open" },
    ],
  },
  {
    name: "shouldThrowCallNotPermittedExceptionWhenNotFurtherTestCallsArePermitted",
    settings,
    steps: [...halfOpen, { begin: 4, let: 4, is: "half-open" }, { do: "refused", is: "half-open" }],
  },
  {
    name: "shouldOnlyPermitFourCallsInHalfOpenState",
    settings,
    steps: [
      ...halfOpen,
      { begin: 6, let: 4, is: "half-open" },
      { end: "fail", is: "open" },
      { wait: 5_000, is: "half-open" },
      { begin: 6, let: 4, is: "half-open" },
      { do: "refused", is: "half-open" },
    ],
  },
  {
    name: "shouldOpenAfterFailureRateThresholdExceeded",
    settings,
    steps: [
      { do: "fail", is: "closed", counts: [1, 1] },
      { do: "fail", is: "closed", counts: [2, 2] },
      { do: "fail", is: "closed", counts: [3, 3] },
      { do: "ok", is: "closed", counts: [4, 3] },
      { do: "ok", is: "open" },
      { do: "refused", is: "open" },
    ],
  },
  {
    name: "shouldOpenAfterFailureRateThresholdExceeded2",
    settings,
    steps: [
      { do: "ok", is: "closed" },
      { wait: 1_000, is: "closed" },
      { do: "ok", is: "closed" },
      { wait: 1_000, is: "closed" },
      { do: "ok", is: "closed" },
      { wait: 1_000, is: "closed" },
      { do: "fail", is: "closed" },
      { wait: 1_000, is: "closed" },
      { do: "fail", is: "closed", counts: [5, 2] },
      { wait: 1_000, is: "closed" },
      { do: "fail", is: "open" },
    ],
  },
  {
    name: "shouldOpenAfterSlowCallRateThresholdExceeded",
    settings: { ...settings, failureRate: 0.6 },
    differs: "a call's time passes on the clock",
    steps: [
      { do: "fail", tookMs: 4_000, is: "closed", slow: 1 },
      { do: "ok", tookMs: 5_000, is: "closed", slow: 2 },
      { do: "fail", tookMs: 100, is: "closed", slow: 2 },
      { do: "ok", tookMs: 3_999, is: "closed", slow: 2 },
      { do: "ok", tookMs: 4_000, is: "open" },
    ],
  },
  {
    name: "shouldOpenAfterSlowCallRateThresholdExceededUsingMockClock",
    settings,
    steps: [
      { do: "ok", tookMs: 5_000, is: "closed", counts: [1, 0], slow: 1 },
      { do: "ok", tookMs: 5_000, is: "closed", counts: [2, 0], slow: 2 },
      { do: "ok", tookMs: 1_000, is: "closed", counts: [3, 0], slow: 2 },
      { do: "ok", tookMs: 1_000, is: "closed", counts: [4, 0], slow: 2 },
      { do: "ok", tookMs: 5_000, is: "open" },
    ],
  },
  {
    name: "shouldTransitionToHalfOpenAfterWaitDuration",
    settings,
    steps: [
      opened,
      { do: "refused", is: "open" },
      { wait: 3_000, is: "open" },
      { do: "refused", is: "open", counts: [0, 0] },
      { wait: 3_000, is: "half-open" },
      { begin: 1, let: 1, is: "half-open", counts: [0, 0] },
    ],
  },
  {
    name: "shouldTransitionToHalfOpenAfterWaitInterval",
    settings: { ...settings, maxOpenMs: 60_000 },
    differs: "the wait doubles; by default it is multiplied by 1.5 there",
    steps: [
      opened,
      { wait: 3_000, is: "open" },
      { do: "refused", is: "open" },
      { wait: 3_000, is: "half-open" },
      { do: "fail", is: "open" },
      { wait: 6_000, is: "open" },
      { do: "refused", is: "open" },
      { wait: 5_000, is: "half-open" },
      { begin: 1, let: 1, is: "half-open" },
    ],
  },
  {
    name: "shouldTransitionBackToOpenStateWhenFailureRateIsAboveThreshold",
    settings,
    differs: "the first failed probe opens; a rate over the permitted calls is not waited for",
    steps: [...halfOpen, { do: "fail", is: "open" }, { do: "refused", times: 3, is: "open" }],
  },
  {
    name: "shouldTransitionBackToOpenStateWhenSlowCallRateIsAboveThreshold",
    settings,
    differs: "the first slow probe opens",
    steps: [...halfOpen, { do: "ok", tookMs: 1_000, is: "half-open" }, { do: "ok", tookMs: 5_000, is: "open" }],
  },
  {
    name: "shouldTransitionBackToClosedStateWhenFailureIsBelowThreshold",
    reason: "a failed probe always opens: closing takes successes only",
  },
  {
    name: "closes after the permitted calls, with its counts at zero",
    settings,
    steps: [
      ...halfOpen,
      { do: "ok", times: 3, is: "half-open" },
      { do: "ok", is: "closed", counts: [0, 0] },
      { do: "ok", is: "closed", counts: [1, 0] },
    ],
  },
  {
    name: "shouldResetMetrics",
    settings,
    differs: "there is no reset but an order that is taken back",
    steps: [
      { do: "ok", is: "closed" },
      { do: "fail", is: "closed", counts: [2, 1] },
      { force: "disabled", is: "disabled", counts: [0, 0] },
      { force: "auto", is: "closed", counts: [0, 0], run: 0 },
    ],
  },
  {
    name: "shouldResetToClosedState",
    settings,
    differs: "there is no reset but an order that is taken back",
    steps: [opened, { force: "disabled", is: "disabled" }, { force: "auto", is: "closed", counts: [0, 0] }],
  },
  {
    name: "shouldDisableCircuitBreaker",
    settings,
    steps: [
      { force: "disabled", is: "disabled", counts: [0, 0] },
      { do: "ok", is: "disabled", counts: [0, 0] },
      { do: "fail", times: 20, is: "disabled", counts: [0, 0] },
    ],
  },
  {
    name: "shouldForceOpenCircuitBreaker",
    settings,
    steps: [
      { force: "forced-open", is: "forced-open" },
      { do: "refused", is: "forced-open" },
      { wait: 6_000, is: "forced-open" },
      { do: "refused", is: "forced-open" },
      { begin: 4, let: 0, is: "forced-open" },
    ],
  },
  {
    name: "shouldReleasePermissionWhenExceptionIgnored",
    settings,
    differs: "the failure at the end opens; there it leaves 25 %, which closes",
    steps: [
      ...halfOpen,
      { do: "ok", times: 3, is: "half-open" },
      { do: "ignored", is: "half-open" },
      { begin: 2, let: 1, is: "half-open" },
      { end: "fail", is: "open" },
    ],
  },
  {
    name: "shouldIgnoreExceptionsAndThenTransitionToClosed",
    settings,
    steps: [
      ...halfOpen,
      { do: "ignored", times: 4, is: "half-open", counts: [0, 0] },
      { do: "ok", times: 3, is: "half-open" },
      { do: "ok", is: "closed", counts: [0, 0] },
    ],
  },
  {
    name: "circuitBreakerTransitionsToOpenAfterWaitDurationInHalfOpenState",
    settings,
    differs: "a half-open breaker does not hang as the permits end, and are issued again; it need not open for that",
    steps: [
      ...halfOpen,
      { begin: 4, let: 4, is: "half-open" },
      { wait: 11_999, is: "half-open" },
      { do: "refused", is: "half-open" },
      { wait: 1, is: "half-open" },
      { begin: 5, let: 4, is: "half-open" },
    ],
  },
  {
    name: "a result after the end of its permit changes nothing",
    settings,
    steps: [
      ...halfOpen,
      { begin: 1, let: 1, is: "half-open" },
      { wait: 12_000, is: "half-open" },
      { end: "fail", is: "half-open" },
      { begin: 4, let: 4, is: "half-open" },
    ],
  },
  {
    name: "testAutoTransition",
    settings: { ...settings, openMs: 2_000, maxOpenMs: 2_000, halfOpenProbes: 3 },
    steps: [opened, { wait: 1_999, is: "open" }, { wait: 1, is: "half-open" }],
  },
  {
    name: "shouldCancelAutoTransition",
    settings,
    steps: [opened, { force: "forced-open", is: "forced-open" }, { wait: 3_600_000, is: "forced-open" }],
  },
  { name: "shouldForceCloseCircuitBreaker", reason: noSuchOrder },
  { name: "shouldResetMetricsAfterMetricsOnlyStateTransition", reason: noSuchOrder },
  { name: "shouldRecordMetricsInMetricsOnlyState", reason: noSuchOrder },
  { name: "shouldPublishEachEventOnceInMetricOnlyState", reason: noSuchOrder },
  { name: "shouldNotAllowTransitionFromClosedToHalfOpen", reason: "nobody can order half-open" },
  { name: "shouldResetClosedState", reason: "the same as shouldResetMetrics here" },
  {
    name: "circuitBreakerDoesNotPublishStateTransitionEventsForInternalTransitions",
    reason: "a repeated order has a test of its own, with events (orders of a book)",
  },
  { name: "notCancelAutoTransitionFutureIfAlreadyDone", reason: "there is no scheduler: the shell sets one alarm" },
  { name: "the cases with a COUNT_BASED window", reason: "windows are of time only: a count has no age" },
];

runCases("resilience4j", cases);
