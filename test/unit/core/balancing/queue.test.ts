/** Origins as queues: one request at a time each, one of them slow. */
import { describe, expect, test } from "vitest";
import { noteResponse } from "../../../../src/core/balancing/ewma.ts";
import type { BalancingPolicy } from "../../../../src/core/balancing/index.ts";
import { ended, newLoadState, started } from "../../../../src/core/balancing/load.ts";
import { agenda } from "../../../support/random.ts";
import { seededRandom } from "./random.ts";
import { candidates, choose } from "./support.ts";

const serviceMs = { a: 40, b: 10, c: 10, d: 10 } as Readonly<Record<string, number>>;
const list = candidates([1, 1, 1, 1]);
const fairShare = 1 / list.length;

/** Share of the slow origin `a` in 20,000 requests with exponential times between them and of service. */
function shareOfSlow(policy: BalancingPolicy, requestsPerSecond: number): number {
  const random = seededRandom(11);
  const exponential = (mean: number) => -mean * Math.log(1 - random());
  const state = newLoadState();
  const freeAtMs = new Map(list.map(({ id }) => [id, 0]));
  const ends = agenda<{ readonly id: string; readonly latencyMs: number }>();
  const requests = 20_000;
  let next = ends.take();
  let nowMs = 0;
  let toSlow = 0;
  for (let request = 0; request < requests; request++) {
    nowMs += exponential(1_000 / requestsPerSecond);
    for (; next && next.atMs <= nowMs; next = ends.take()) {
      ended(state, next.event.id, state.turn);
      noteResponse(state, next.event.id, next.event.latencyMs, next.atMs);
    }
    if (next) ends.add(next.atMs, next.event);
    const { id } = choose(policy, list, { state, random, nowMs })!;
    started(state, id);
    if (id === "a") toSlow++;
    const endMs = Math.max(nowMs, freeAtMs.get(id)!) + exponential(serviceMs[id]!);
    freeAtMs.set(id, endMs);
    ends.add(endMs, { id, latencyMs: endMs - nowMs });
    next = ends.take();
  }
  return toSlow / requests;
}

describe("one origin of four takes four times as long", () => {
  test.each([50, 200, 300])("random does not notice, at %d requests a second", (rate) => {
    expect(shareOfSlow("random", rate)).toBeGreaterThan(0.9 * fairShare);
  });

  test.each<[BalancingPolicy, number]>([
    ["least-request", 200],
    ["least-request", 300],
    // Latency tells even while requests hardly ever meet.
    ["ewma", 50],
    ["ewma", 200],
    ["ewma", 300],
  ])("%s gives it less than six tenths of its fair share, at %d requests a second", (policy, rate) => {
    expect(shareOfSlow(policy, rate)).toBeLessThan(0.6 * fairShare);
  });
});
