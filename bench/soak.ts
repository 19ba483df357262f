/**
 * `npm run bench:soak`: at 70 % of saturation, with a mix of requests. Any error, and any exception
 * that nobody caught, ends it with exit code 1; what memory does is printed.
 */
import { number, optionsOf } from "../scripts/options.ts";
import { cases, setups } from "./cases.ts";
import { requireTools } from "./machine.ts";
import { rssMibOf } from "./measure/cpu.ts";
import { slope, spreadOf } from "./measure/stats.ts";
import { delayFor, type Load, type Outcome, runWrk } from "./measure/wrk.ts";
import { type Gateway, startGateway } from "./servers/gateway.ts";
import { startOrigin } from "./servers/nginx.ts";
import { leaveGatewayAlone, stopAll } from "./servers/process.ts";

const share = 0.7;
const connections = 256;
const sampleMs = 5_000;
/** Share at the beginning in which memory may still grow. */
const settling = 0.2;
const saturationSeconds = 10;
const mixed = ["plain", "limited", "keys", "post-1k"];
/** Keys of the mix: as many as an isolate sees of an ordinary limit. */
const keysMax = 100;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

try {
  const about = "Loads the gateway at 70 % of saturation; any error and any uncaught exception is a failure.";
  const { minutes } = optionsOf("npm run bench:soak", about, { minutes: number("how long", 10) });
  await soak(minutes);
} catch (error) {
  console.error(`npm run bench:soak: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await stopAll();
}

async function soak(minutes: number): Promise<void> {
  requireTools();
  leaveGatewayAlone();
  const origin = await startOrigin();
  const gateway = await startGateway(setups.full(origin.url));
  const load = mix();
  await runWrk(gateway.url, load, { seconds: saturationSeconds });
  const { requests, seconds } = await runWrk(gateway.url, load, { seconds: saturationSeconds });
  const rps = (requests / seconds) * share;
  console.log(`saturated at ${(requests / seconds).toFixed(0)} requests/s; ${minutes} min at ${rps.toFixed(0)}`);
  const pace = { seconds: minutes * 60, connections, delayMs: delayFor(rps, connections) };
  const memory: [minute: number, mib: number][] = [];
  const startMs = performance.now();
  const sampling = setInterval(() => {
    memory.push([(performance.now() - startMs) / 60_000, rssMibOf(gateway.workerd.process.pid)]);
  }, sampleMs);
  try {
    conclude(await runWrk(gateway.url, load, pace), memory, gateway);
  } finally {
    clearInterval(sampling);
  }
}

/** Each kind of request as often as the others. */
function mix(): Load {
  return {
    requests: mixed.flatMap((name) => {
      const { requests } = cases.find((each) => each.name === name)!.load;
      return Array.from({ length: keysMax }, (_, index) => requests[index % requests.length]!);
    }),
  };
}

function conclude(outcome: Outcome, memory: readonly (readonly [number, number])[], { workerd }: Gateway): void {
  const late = memory.slice(Math.floor(memory.length * settling));
  const uncaught = workerd.uncaught();
  // It rises between collections of garbage and falls after them.
  const { min, median, max } = spreadOf(late.map(([, mib]) => mib));
  const lines = {
    requests: `${outcome.requests}, ${(outcome.requests / outcome.seconds).toFixed(0)} a second`,
    "answers that were errors": outcome.refused,
    "connections that failed": outcome.socketErrors,
    "uncaught exceptions and rejections": uncaught.length,
    "p50, p99": `${outcome.p50Us / 1_000} ms, ${outcome.p99Us / 1_000} ms`,
    memory: `${median.toFixed(0)} MiB (${min.toFixed(0)}..${max.toFixed(0)}), ${slope(late).toFixed(2)} MiB/min over the last ${(1 - settling) * 100} %`,
  };
  for (const [what, value] of Object.entries(lines)) console.log(`${what}: ${value}`);
  for (const line of uncaught.slice(0, 10)) console.log(line);
  if (outcome.refused + outcome.socketErrors + uncaught.length > 0) process.exitCode = 1;
}
