/** The sequences that github.com/sony/gobreaker tests (gobreaker_test.go), as facts. */
import { type Case, runCases } from "./cases.ts";

const never = 1_000_000;
/** Timeout 60 s, MaxRequests 1, trips at more than 5 failures in a row, no Interval. */
const byDefault = {
  windowMs: 3_600_000,
  minimumRequests: never,
  consecutiveFailures: 6,
  openMs: 60_000,
  maxOpenMs: 60_000,
  halfOpenProbes: 1,
};
/** MaxRequests 3, Interval 30 s, Timeout 90 s, trips from 3 requests of which 60 % fail. */
const custom = {
  windowMs: 30_000,
  minimumRequests: 3,
  failureRate: 0.6,
  openMs: 90_000,
  maxOpenMs: 90_000,
  halfOpenProbes: 3,
};

const cases: readonly Case[] = [
  {
    name: "TestDefaultCircuitBreaker",
    settings: byDefault,
    steps: [
      { do: "fail", times: 5, is: "closed", counts: [5, 5], run: 5 },
      { do: "ok", is: "closed", counts: [6, 5], run: 0 },
      { do: "fail", is: "closed", counts: [7, 6], run: 1 },
      { do: "fail", times: 4, is: "closed", counts: [11, 10], run: 5 },
      { do: "fail", is: "open", counts: [0, 0], run: 0 },
      { do: "refused", times: 2, is: "open", counts: [0, 0] },
      { wait: 59_000, is: "open" },
      { do: "refused", is: "open" },
      { wait: 1_000, is: "half-open" },
      { do: "fail", is: "open", counts: [0, 0] },
      { wait: 60_000, is: "half-open" },
      { do: "ok", is: "closed", counts: [0, 0] },
    ],
  },
  {
    name: "TestCustomCircuitBreaker",
    settings: custom,
    differs:
      "an Interval ends for all counts at once; here each goes a window after it came, so the last wait is a whole one",
    steps: [
      { do: "ok", is: "closed", counts: [1, 0] },
      { do: "fail", is: "closed", counts: [2, 1] },
      { batch: { ok: 4 }, is: "closed", counts: [6, 1] },
      { batch: { fail: 4 }, is: "closed", counts: [10, 5] },
      { wait: 29_000, is: "closed" },
      { do: "ok", is: "closed", counts: [11, 5], run: 0 },
      { wait: 1_000, is: "closed", counts: [1, 0] },
      { wait: 29_000, is: "closed", counts: [0, 0] },
      { do: "fail", is: "closed", counts: [1, 1], run: 1 },
      { do: "ok", is: "closed", counts: [2, 1], run: 0 },
      { do: "fail", is: "open", counts: [0, 0] },
      { wait: 89_999, is: "open" },
      { wait: 1, is: "half-open" },
      { do: "ok", times: 2, is: "half-open" },
      { begin: 1, let: 1, is: "half-open" },
      { do: "refused", is: "half-open" },
      { end: "ok", is: "closed", counts: [0, 0] },
    ],
  },
  {
    name: "TestTwoStepCircuitBreaker",
    settings: byDefault,
    steps: [
      { do: "fail", times: 5, is: "closed", run: 5 },
      { do: "ok", is: "closed", run: 0 },
      { do: "fail", times: 6, is: "open" },
      { wait: 60_000, is: "half-open" },
      { begin: 2, let: 1, is: "half-open" },
      { end: "fail", is: "open" },
      { wait: 60_000, is: "half-open" },
      { begin: 1, let: 1, is: "half-open" },
      { end: "ok", is: "closed" },
    ],
  },
  {
    name: "TestGeneration",
    settings: custom,
    differs: "a generation ends by a transition, not by an Interval",
    steps: [
      { do: "fail", times: 3, is: "open" },
      { late: "ok", generation: 0, is: "open", counts: [0, 0] },
      { wait: 90_000, is: "half-open" },
      { late: "fail", generation: 0, is: "half-open", counts: [0, 0] },
      { late: "fail", generation: 1, is: "half-open", counts: [0, 0] },
      { late: "fail", generation: 99, is: "half-open", counts: [0, 0] },
      { do: "ok", times: 3, is: "closed" },
      { late: "fail", generation: 0, is: "closed", counts: [0, 0] },
      { late: "fail", generation: 2, is: "closed", counts: [0, 0] },
      { do: "fail", is: "closed", counts: [1, 1] },
    ],
  },
  {
    name: "TestCustomIsSuccessful",
    settings: byDefault,
    steps: [
      { do: "ignored", times: 5, is: "closed", counts: [0, 0], run: 0 },
      { do: "fail", times: 6, is: "open" },
    ],
    differs: "what counts as a success is decided in the isolate, which reports an outcome",
  },
  {
    name: "TestCircuitBreakerInParallel",
    settings: custom,
    steps: [
      { batch: { ok: 50_000 }, is: "closed", counts: [50_000, 0] },
      { batch: { ok: 50_000 }, is: "closed", counts: [100_000, 0] },
    ],
  },
  { name: "TestPanicInRequest", reason: "a request that throws is an outcome like another, given by the isolate" },
  { name: "TestStateConstants", reason: "states are strings of the type itself" },
  { name: "TestNewCircuitBreaker", reason: "defaults and negative durations belong to the schema of the document" },
];

runCases("gobreaker", cases);
