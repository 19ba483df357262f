/**
 * `npm run bench:profile`: where the work of a request goes, in instructions of workerd outside of the kernel, as QEMU counts them. It does
 * not go by time, so a machine that is busy or slow gives the same figures.
 */
import { number, optionsOf } from "../scripts/options.ts";
import { cases, plainCase } from "./cases.ts";
import { requireTools } from "./machine.ts";
import { type Load, runWrk } from "./measure/wrk.ts";
import { type Counting, newCounting, profileTools } from "./profile/counting.ts";
import { kindNames, kindOf } from "./profile/kinds.ts";
import type { Target } from "./rounds.ts";
import { startOrigin } from "./servers/nginx.ts";
import { startBare } from "./servers/peers.ts";
import { leaveGatewayAlone, stopAll } from "./servers/process.ts";
import { startTarget } from "./servers/start.ts";
import { type Emulator, workerdBinary } from "./servers/workerd.ts";
import { table } from "./table.ts";

/** Enough for V8 to compile what is hot; emulated code is some ten times slower. */
const warmUpRequests = 20_000;
const warmUpSecondsMax = 300;
/** Of one turn of it. */
const turnSeconds = 5;
const connections = 8;
const profiled = ["minimal", "plain", "limited", "denied", "hono-proxy"];

/** Instructions a request, by function. */
type Profile = ReadonlyMap<string, number>;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

try {
  const { seconds, top } = optionsOf("npm run bench:profile", "Counts where a request's work goes, in instructions.", {
    seconds: number("length of a run", 20),
    top: number("also lists so many functions that cost most more than in BARE", 0, { min: 0 }),
  });
  await main(seconds, top);
} catch (error) {
  console.error(`npm run bench:profile: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await stopAll();
}

async function main(seconds: number, top: number): Promise<void> {
  requireTools(profileTools);
  leaveGatewayAlone();
  const { url: origin } = await startOrigin();
  const profiles = new Map<string, Profile>();
  const profile = async (name: string, load: Load, start: (under: Emulator) => Promise<Target>) => {
    const counting = newCounting(workerdBinary);
    const target = await start(counting.under);
    profiles.set(name, await profileOf(target, load, counting, seconds));
    console.error(name);
  };
  await profile("BARE", plainCase.bareLoad, (under) => startBare(origin, under));
  for (const each of cases.filter(({ name }) => profiled.includes(name)))
    await profile(each.name, each.load, (under) => startTarget(each, origin, under));
  console.log(byKind(profiles));
  if (top > 0) console.log(`\n${mostAbove(profiles.get("BARE")!, profiles.get("plain")!, top)}`);
}

async function profileOf({ url, pid }: Target, load: Load, counting: Counting, seconds: number): Promise<Profile> {
  let warm = 0;
  for (let turn = 0; turn < warmUpSecondsMax / turnSeconds && warm < warmUpRequests; turn++) {
    warm += (await runWrk(url, load, { connections, seconds: turnSeconds })).requests;
  }
  if (warm < warmUpRequests) throw new Error(`only ${warm} requests in ${warmUpSecondsMax} s: V8 is still compiling`);
  const before = counting.counts(pid);
  const { requests } = await runWrk(url, load, { connections, seconds });
  const after = counting.counts(pid);
  return new Map([...after].map(([name, count]) => [name, (count - (before.get(name) ?? 0)) / requests]));
}

function byKind(profiles: ReadonlyMap<string, Profile>): string {
  const totals = [...profiles.values()].map((profile) => sum([...profile.values()]));
  const row = (kind: string) => [
    kind,
    ...[...profiles.values()].map((profile) =>
      thousands(sum([...profile].filter(([name]) => kindOf(name) === kind).map(([, count]) => count))),
    ),
  ];
  return table(
    ["thousand instructions a request", ...profiles.keys()],
    [
      ...kindNames.map(row),
      ["all", ...totals.map(thousands)],
      ["all / BARE", ...totals.map((total) => (total / totals[0]!).toFixed(2))],
    ],
  );
}

/** What costs most more than in `base`. */
function mostAbove(base: Profile, profile: Profile, top: number): string {
  const rows = [...profile].map(([name, count]) => ({ name, count, more: count - (base.get(name) ?? 0) }));
  const most = rows.sort((a, b) => b.more - a.more).slice(0, top);
  return table(
    ["function, plain against BARE", "more", "of"],
    most.map(({ name, count, more }) => [`\`${name.slice(0, 120)}\``, thousands(more), thousands(count)]),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}

function thousands(instructions: number): string {
  return (instructions / 1_000).toFixed(1);
}
