/** `npm run chaos`: kills, harms and soaks a real gateway, and says what it lost. See README.md. */
import { number, oneOf, optionsOf } from "../../scripts/options.ts";
import { playCycles } from "./cycles.ts";
import { idleCycles, idleSoak, idleStorm } from "./idle.ts";
import { cyclesTable, limitsTable, soakBreaches, soakLines, stormTable } from "./report.ts";
import { soak } from "./soak.ts";
import { storm } from "./storm.ts";

const parts = ["cycles", "origins", "soak"] as const;
const about = "Kills, harms and soaks a real gateway, and says what it lost.";
const { cycles, soakMinutes, only, seed } = optionsOf("npm run chaos", about, {
  cycles: number("times that the gateway is killed", 50),
  soakMinutes: number("length of the soak, at least 1", 30, { isWhole: false }),
  only: oneOf(parts, "this part, else each in turn"),
  seed: number("of all choices", Date.now() % 1_000_000, { min: 0 }),
});
// With an exit everything that was started or written is taken back.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
const breaches: string[] = [];
console.log(`--seed ${seed}`);
if (isWanted("cycles")) {
  let count = 0;
  const played = await playCycles(cycles, seed, (cycle) => {
    count++;
    if (count % 10 === 0) console.log(`${count} cycles`);
    found(cycle.breaches);
  });
  console.log(cyclesTable(played));
  console.log(limitsTable(played));
  found(idleCycles(played));
}
if (isWanted("origins")) {
  const struck = await storm(({ breaches: fresh }) => found(fresh));
  console.log(stormTable(struck));
  found(idleStorm(struck));
}
if (isWanted("soak")) {
  const soaked = await soak(soakMinutes * 60, seed);
  found([...soakBreaches(soaked), ...idleSoak(soaked)]);
  console.log(soakLines(soaked));
}
if (breaches.length > 0) process.exitCode = 1;
console.log(`breaches: ${breaches.length}`);

function isWanted(part: (typeof parts)[number]): boolean {
  return only === undefined || only === part;
}

/** Tells at once: a run may take long. */
function found(fresh: readonly string[]): void {
  breaches.push(...fresh);
  for (const breach of fresh) console.log(`BREACH ${breach}`);
}
