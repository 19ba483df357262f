/** Calls of objects and rows written per request, counted by a Worker around the gateway (`workers/counting.ts`). */
import { setTimeout as sleep } from "node:timers/promises";
import { type Case, plainCase, setups, warmUpSeconds } from "../cases.ts";
import { delayFor, runWrk } from "../measure/wrk.ts";
import { startGateway } from "../servers/gateway.ts";
import type { Counts } from "./counts.ts";

/** Requests a second while it is counted: what is done by the clock is shared among so many. */
export const countedRate = 1_000;
const connections = 48;
/** Time for what follows after answers. */
const settleMs = 2_000;
const waitedRequests = 1_000;

/** Per request. */
export interface Counted {
  readonly name: string;
  readonly requests: number;
  /** Share that was refused. */
  readonly refused: number;
  /** Calls and alarms of objects. */
  readonly calls: number;
  readonly callsByObject: Readonly<Record<string, number>>;
  readonly rows: number;
  /** Time in which objects were called, by their callers. */
  readonly seconds: number;
}

/** A limit of 1,000 a second on one key, and as many requests. */
const thousand = {
  name: "thousand",
  target: { setup: "full" },
  warmUpSeconds,
  load: { requests: [{ method: "GET", path: "/thousand", headers: {}, bodyBytes: 0 }] },
} as const;

/** Counts the gateway's cases, each in an isolate of its own that was warmed up. */
export async function countCases(
  cases: readonly Case[],
  origin: string,
  seconds: number,
  report: (line: string) => void,
): Promise<Counted[]> {
  const results: Counted[] = [];
  for (const { name, load, target, warmUpSeconds } of [...cases, thousand]) {
    // `key` is `limited` once more.
    if (!("setup" in target) || name === "key") continue;
    report(`counting ${name}`);
    const { url, workerd } = await startGateway(setups[target.setup](origin), { counting: true });
    const pace = { connections, delayMs: delayFor(countedRate, connections) };
    const counts = async () => (await (await fetch(`${url}/bench/counts`)).json()) as Counts;
    await runWrk(url, load, { ...pace, seconds: warmUpSeconds });
    const before = await counts();
    const { requests, refused } = await runWrk(url, load, { ...pace, seconds });
    await sleep(settleMs);
    results.push(perRequest(name, requests, refused, before, await counts()));
    await workerd.stop();
  }
  return results;
}

/** Calls of objects that a plain request waited for, by `sluice-decision`; the mean of many in an isolate in use. */
export async function waitedCalls(origin: string): Promise<number> {
  const { url, workerd } = await startGateway(setups.debug(origin));
  await runWrk(url, plainCase.load, { seconds: warmUpSeconds });
  let calls = 0;
  for (let request = 0; request < waitedRequests; request++) {
    const response = await fetch(`${url}/plain`);
    await response.arrayBuffer();
    calls += Number(/\bcalls=(\d+)/.exec(response.headers.get("sluice-decision") ?? "")?.[1]);
  }
  await workerd.stop();
  return calls / waitedRequests;
}

function perRequest(name: string, requests: number, refused: number, before: Counts, after: Counts): Counted {
  const byObject = Object.entries(after.calls).map(
    ([object, count]) => [object, (count - (before.calls[object] ?? 0)) / requests] as const,
  );
  const alarms = (after.alarms - before.alarms) / requests;
  return {
    name,
    requests,
    refused: refused / requests,
    calls: byObject.reduce((sum, [, count]) => sum + count, alarms),
    callsByObject: Object.fromEntries(byObject),
    rows: (after.rows - before.rows) / requests,
    seconds: (after.callSeconds - before.callSeconds) / requests,
  };
}
