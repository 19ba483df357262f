/** The sequences that github.com/connor4312/cockatiel tests (its breakers and its policy), as facts. */
import { type Case, runCases, type Step } from "./cases.ts";

const never = 1_000_000;
const consecutive = (consecutiveFailures: number) => ({
  minimumRequests: never,
  consecutiveFailures,
  openMs: 1_000,
  maxOpenMs: 60_000,
  halfOpenProbes: 1,
});
/** 50 % of at least 3 requests a second over 5 s. There the share must be exceeded, here reached. */
const sampling = { windowMs: 5_000, minimumRequests: 15, failureRate: 0.501, openMs: 1_000, halfOpenProbes: 1 };
const counting = { windowMs: 60_000, minimumRequests: 50, failureRate: 0.501, openMs: 1_000, halfOpenProbes: 1 };
const noCount = "windows are of time only: a count has no age";
const countsInTime = "the window is of time, and all calls come within it";

const opened = { do: "fail", times: 2, is: "open" } as const;
const later = (wait: number) => ({ wait, is: "half-open" }) as const;
const many = (count: number, steps: (index: number) => readonly Step[]): Step[] =>
  Array.from({ length: count }, (_, index) => steps(index)).flat();

const cases: readonly Case[] = [
  {
    name: "ConsecutiveBreaker works",
    settings: { ...consecutive(3), halfOpenProbes: 1 },
    steps: [
      { do: "fail", times: 2, is: "closed", run: 2 },
      { do: "fail", is: "open" },
      { do: "refused", is: "open" },
      later(1_000),
      { do: "ok", is: "closed", run: 0 },
      { do: "fail", times: 2, is: "closed", run: 2 },
      { do: "fail", is: "open" },
    ],
  },
  {
    name: "SamplingBreaker increments and wraps buckets correctly",
    settings: sampling,
    steps: [
      ...many(6, (index) => [
        { batch: { ok: 2 * index, fail: index }, is: "closed" },
        { wait: 1_000, is: "closed" },
      ]),
      { batch: { ok: 12, fail: 6 }, is: "closed", counts: [60, 20] },
    ],
  },
  {
    name: "SamplingBreaker does not start failing if below threshold rps",
    settings: sampling,
    steps: many(10, () => [
      { do: "fail", is: "closed" },
      { wait: 500, is: "closed" },
    ]),
  },
  {
    name: "SamplingBreaker fails once above rps",
    settings: sampling,
    differs: "with slots of half a second instead of a second it takes one failure more, not two",
    steps: [
      ...many(15, () => [
        { wait: 334, is: "closed" },
        { do: "fail", is: "closed" },
      ]),
      { do: "fail", is: "open" },
    ],
  },
  ...Array.from({ length: 10 }, (_, extra): Case => {
    const name = `SamplingBreaker calculates rps correctly over time (${10 + extra} calls)`;
    const steps: Step[] = many(10 + extra, () => [
      { do: "ok", is: "closed" },
      { do: "fail", is: "closed" },
      { wait: 250, is: "closed" },
    ]);
    return { name, settings: sampling, steps: [...steps, { do: "fail", is: "open" }] };
  }),
  {
    name: "SamplingBreaker resets when recoving from a half-open",
    settings: sampling,
    steps: [
      { batch: { fail: 20 }, is: "open" },
      later(1_000),
      { do: "ok", is: "closed", counts: [0, 0] },
      { do: "fail", is: "closed", counts: [1, 1] },
    ],
  },
  {
    name: "CountBreaker does not open as long as the minimum number of calls has not been reached",
    settings: counting,
    differs: countsInTime,
    steps: [{ do: "fail", times: 49, is: "closed" }],
  },
  {
    name: "CountBreaker does not open at the minimum number of calls when the threshold has not been surpassed",
    settings: counting,
    differs: countsInTime,
    steps: [
      { do: "ok", times: 25, is: "closed" },
      { do: "fail", times: 25, is: "closed", counts: [50, 25] },
    ],
  },
  {
    name: "CountBreaker opens at the minimum number of calls when the threshold has been surpassed",
    settings: counting,
    differs: countsInTime,
    steps: [
      { do: "ok", times: 24, is: "closed" },
      { do: "fail", times: 25, is: "closed" },
      { do: "fail", is: "open" },
    ],
  },
  {
    name: "CountBreaker resets when recoving from a half-open",
    settings: counting,
    differs: "the success of the probe is not counted in the new window",
    steps: [
      { batch: { fail: 100 }, is: "open" },
      later(1_000),
      { do: "ok", is: "closed", counts: [0, 0] },
      { do: "fail", is: "closed" },
    ],
  },
  { name: "policy allows calls when open", settings: consecutive(2), steps: [{ do: "ok", is: "closed" }] },
  {
    name: "policy opens after failing calls",
    settings: consecutive(2),
    steps: [
      { do: "fail", is: "closed" },
      { do: "fail", is: "open" },
      { do: "refused", is: "open" },
    ],
  },
  {
    name: "policy closes if the half open test succeeds",
    settings: consecutive(2),
    steps: [opened, later(1_000), { do: "ok", is: "closed" }],
  },
  {
    name: "policy uses the given backoff factory to decide whether to enter the half open state",
    settings: consecutive(2),
    steps: [
      opened,
      later(1_000),
      { do: "fail", is: "open" },
      { wait: 1_000, is: "open" },
      { do: "refused", is: "open" },
      later(1_000),
      { do: "ok", is: "closed" },
    ],
  },
  {
    name: "policy resets the backoff when closing the circuit",
    settings: consecutive(2),
    steps: [
      opened,
      later(1_000),
      { do: "fail", is: "open" },
      { wait: 1_999, is: "open" },
      later(1),
      { do: "ok", is: "closed" },
      opened,
      { wait: 999, is: "open" },
      later(1),
      { do: "ok", is: "closed" },
    ],
  },
  {
    name: "policy dedupes half-open tests",
    settings: consecutive(2),
    differs: "a request beyond the probes is refused; it does not wait for their end",
    steps: [
      opened,
      later(1_000),
      { begin: 2, let: 1, is: "half-open" },
      { do: "refused", is: "half-open" },
      { end: "ok", is: "closed" },
      { do: "ok", is: "closed" },
    ],
  },
  {
    name: "policy stops deduped half-open tests if the circuit reopens",
    settings: consecutive(2),
    steps: [
      opened,
      later(1_000),
      { begin: 2, let: 1, is: "half-open" },
      { end: "fail", is: "open" },
      { do: "refused", is: "open" },
    ],
  },
  {
    name: "policy re-opens if the half open fails",
    settings: consecutive(2),
    steps: [opened, later(1_000), { do: "fail", is: "open" }],
  },
  {
    name: "policy handles isolation correctly",
    settings: consecutive(2),
    differs: "orders are not counted: the last one holds",
    steps: [
      { force: "forced-open", is: "forced-open" },
      { force: "forced-open", is: "forced-open" },
      { do: "refused", is: "forced-open" },
      { force: "auto", is: "closed" },
      { do: "ok", is: "closed" },
    ],
  },
  { name: "CountBreaker correctly wraps around when reaching the end of the window", reason: noCount },
  { name: "CountBreaker serializes and deserializes", reason: "counts are in memory only, by design" },
  { name: "CountBreaker parameter creation", reason: "ranges belong to the schema of the document" },
  { name: "SamplingBreaker parameter creation", reason: "the slots are always ten, and the least number is given" },
  { name: "policy links parent cancellation token", reason: "the breaker runs nothing, so it cancels nothing" },
  { name: "policy aborts function execution if half open test succeeds", reason: "no request waits for a probe" },
];

runCases("cockatiel", cases);
