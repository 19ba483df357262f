/** Steady traffic to several isolates in the background, and what became of it; all moments by the machine's clock. */
import { setTimeout as wait } from "node:timers/promises";
import type { FarmOrigin } from "../../support/farm.ts";
import { type Answer, ask } from "../limits/load.ts";

export { type Answer, ask, decided } from "../limits/load.ts";

export interface Traffic {
  /** What is answered so far, in the order of the answers. */
  readonly answers: readonly Answer[];
  /** When each request was sent. */
  readonly sentMs: readonly number[];
  /** Sends no more; all answers. Throws when there was a request without one. */
  stop(): Promise<readonly Answer[]>;
}

/** Where requests go, and how many a second to each isolate. They say in `x-isolate` to which one they were sent. */
export interface Aim {
  readonly urls: readonly string[];
  readonly path: string;
  readonly perSecond: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const trafficMsMax = 60_000;

/** Sends by the clock until it is stopped, whether or not earlier requests are answered. */
export function startTraffic({ urls, path, perSecond, headers = {} }: Aim): Traffic {
  const startMs = Date.now();
  const [answers, sentMs, pending]: [Answer[], number[], Promise<unknown>[]] = [[], [], []];
  let isStopped = false;
  let failure: unknown = null;
  const send = async (isolate: number) => {
    sentMs.push(Date.now());
    try {
      answers.push(await ask(urls[isolate] + path, { ...headers, "x-isolate": String(isolate) }));
    } catch (error) {
      failure ??= error;
    }
  };
  const sending = async () => {
    // A request without an answer is for `stop` to tell of. Nobody calls it in a test that has failed.
    while (!isStopped && failure === null && Date.now() - startMs < trafficMsMax) {
      const due = Math.floor(((Date.now() - startMs) * perSecond * urls.length) / 1_000);
      // What could not be sent in time is not made up for all at once.
      for (let burst = 0; pending.length < due && burst < 16; burst++) pending.push(send(pending.length % urls.length));
      await wait(4);
    }
  };
  const sent = sending();
  return {
    answers,
    sentMs,
    async stop() {
      isStopped = true;
      await sent;
      await Promise.all(pending);
      if (failure !== null) throw failure;
      return answers;
    },
  };
}

/** `count` requests one after the other, to each of `urls` in turn. */
export async function inTurn(
  urls: readonly string[],
  path: string,
  count: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < count; at++) answers.push(await ask(urls[at % urls.length] + path, headers));
  return answers;
}

/** A request that an origin got. */
export interface Arrival {
  readonly atMs: number;
  /** The isolate that it was sent to. */
  readonly isolate: number;
}

/** The origin's own log. */
export function arrivalsAt({ asked }: Pick<FarmOrigin, "asked">): Arrival[] {
  return asked.map(({ atMs, headers }) => ({
    atMs: performance.timeOrigin + atMs,
    isolate: Number(headers["x-isolate"] ?? -1),
  }));
}

/** Those of `items` that came in [fromMs, toMs). */
export function between<T extends { readonly atMs: number }>(items: readonly T[], fromMs: number, toMs: number): T[] {
  return items.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
}

/** Share of the answers with a status of 500 or more. */
export function failureRateOf(answers: readonly Answer[]): number {
  return answers.filter(({ status }) => status >= 500).length / Math.max(1, answers.length);
}

/** Waits until `ask` gives something else than null or false. Throws when it has not in `msMax`. */
export async function until<T>(
  ask: () => T | Promise<T>,
  what: string,
  msMax = 15_000,
): Promise<Exclude<T, null | undefined | false>> {
  const endMs = Date.now() + msMax;
  for (;;) {
    const got = await ask();
    if (got !== null && got !== undefined && got !== false) return got as Exclude<T, null | undefined | false>;
    if (Date.now() > endMs) throw new Error(`not within ${msMax} ms: ${what}`);
    await wait(50);
  }
}
