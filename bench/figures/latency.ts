/** Latency at a moderate rate: 99 of 100 answers come within it. Beside BARE at the same rate, in the same minutes. */
import { plainCase, warmUpSeconds } from "../cases.ts";
import { type Spread, spreadOf } from "../measure/stats.ts";
import { delayFor, type Outcome, runWrk } from "../measure/wrk.ts";
import type { Target } from "../rounds.ts";

/** Connections, each with a pause before every request, which together make a steady rate. */
const connections = 128;
/** Share of the rate at which the gateway is saturated. */
const share = 0.3;
/**
 * Several collections of garbage of either: workerd frees in one pause what requests have left since the last, which takes tens
 * of milliseconds. BARE leaves less JavaScript, so collects every few seconds: a shorter turn would mostly miss that.
 */
const turnSeconds = 20;

export interface Latency {
  /** Requests a second that were made of the gateway. */
  readonly rps: number;
  readonly p50Us: { readonly gateway: Spread; readonly bare: Spread };
  readonly p99Us: { readonly gateway: Spread; readonly bare: Spread };
  readonly p99Ratio: Spread;
}

/** `saturated`: answers a second of the case `plain` at full load. */
export async function measureLatency(plain: Target, bare: Target, saturated: number, rounds: number): Promise<Latency> {
  const { load } = plainCase;
  const pace = { connections, seconds: turnSeconds, delayMs: delayFor(saturated * share, connections) };
  await runWrk(bare.url, load, { seconds: warmUpSeconds });
  const all: { gateway: Outcome; bare: Outcome }[] = [];
  for (let round = 0; round < rounds; round++) {
    all.push({ bare: await runWrk(bare.url, load, pace), gateway: await runWrk(plain.url, load, pace) });
  }
  const spread = (member: "p50Us" | "p99Us") => ({
    gateway: spreadOf(all.map(({ gateway }) => gateway[member])),
    bare: spreadOf(all.map((each) => each.bare[member])),
  });
  return {
    rps: spreadOf(all.map(({ gateway }) => gateway.requests / gateway.seconds)).median,
    p50Us: spread("p50Us"),
    p99Us: spread("p99Us"),
    p99Ratio: spreadOf(all.map((each) => each.gateway.p99Us / each.bare.p99Us)),
  };
}
