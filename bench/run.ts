/** `npm run bench`: measures the gateway beside BARE and its peers. bench/README.md says how to read the result. */
import { apartRoundsMax, besideApartSeconds, type Case, plainCase, warmUpSeconds } from "./cases.ts";
import { comparedFigures, findFigures, latencyFigures } from "./figures/index.ts";
import { measureLatency } from "./figures/latency.ts";
import { describeMachine, requireTools } from "./machine.ts";
import { runWrk } from "./measure/wrk.ts";
import { type Options, readOptions } from "./options.ts";
import { type Results, saveResults, writeReadme } from "./results.ts";
import { runRounds, summarize, type Target } from "./rounds.ts";
import { startOrigin } from "./servers/nginx.ts";
import { startBare } from "./servers/peers.ts";
import { leaveGatewayAlone, stopAll } from "./servers/process.ts";
import { startTarget } from "./servers/start.ts";
import { tablesOf } from "./table.ts";

const report = (line: string) => console.error(line);

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

try {
  const options = readOptions(process.argv.slice(2));
  if (options.isWrite) writeReadme();
  else await bench(options);
} catch (error) {
  console.error(`npm run bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await stopAll();
}

async function bench({ cases, figures: groups, rounds, seconds }: Options): Promise<void> {
  requireTools();
  leaveGatewayAlone();
  const at = new Date().toISOString();
  const origin = await startOrigin();
  const bare = await startBare(origin.url);
  const runAll = async (some: readonly Case[], pace: { rounds: number; seconds: number }) => {
    const targets = await startTargets(some, origin.url);
    return { targets, byCase: await runRounds(some, (each) => targets.get(processOf(each))!, bare, pace, report) };
  };
  const apartPace = { rounds: Math.min(rounds, apartRoundsMax), seconds: besideApartSeconds };
  const apart = await runAll(
    cases.filter(({ apartSeconds }) => apartSeconds !== null),
    apartPace,
  );
  for (const target of apart.targets.values()) await target.stop();
  const { targets, byCase } = await runAll(
    cases.filter(({ apartSeconds }) => apartSeconds === null),
    { rounds, seconds },
  );
  const measured = new Map([...apart.byCase, ...byCase].map(([name, all]) => [name, summarize(all)]));
  const figures = comparedFigures(measured);
  if (groups.includes("latency")) {
    report("figures: latency");
    const plain = targets.get("full") ?? (await start(plainCase, origin.url));
    const saturated = measured.get("plain")?.rps.median ?? (await saturation(plain, seconds));
    figures.push(...latencyFigures(await measureLatency(plain, bare, saturated, rounds)));
  }
  const found = await findFigures(groups, cases, origin.url, seconds, report);
  const results: Results = {
    ...{ at, machine: describeMachine(), rounds, seconds },
    cases: cases.map(({ name, what }) => ({ name, what, ...measured.get(name)! })),
    ...{ ...found, figures: [...figures, ...found.figures] },
  };
  console.log(tablesOf(results));
  report(`written to ${saveResults(results)}`);
}

function processOf({ target }: Case): string {
  return "setup" in target ? target.setup : target.peer;
}

/** One process for each setup and each peer of the cases. */
async function startTargets(cases: readonly Case[], origin: string): Promise<ReadonlyMap<string, Target>> {
  const targets = new Map<string, Target>();
  for (const each of cases) {
    const name = processOf(each);
    if (!targets.has(name)) targets.set(name, await start(each, origin));
  }
  return targets;
}

function start(each: Case, origin: string): Promise<Target> {
  report(`starting ${processOf(each)}`);
  return startTarget(each, origin);
}

async function saturation({ url }: Target, seconds: number): Promise<number> {
  await runWrk(url, plainCase.load, { seconds: warmUpSeconds });
  const { requests, seconds: took } = await runWrk(url, plainCase.load, { seconds });
  return requests / took;
}
