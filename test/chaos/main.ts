/** `npm run chaos`: kills, harms and soaks a real gateway, and says what it lost. See README.md. */
import { parseArgs } from "node:util";
import { playCycles } from "./cycles.ts";
import { cyclesTable, limitsTable, soakBreaches, soakLines, stormTable } from "./report.ts";
import { soak } from "./soak.ts";
import { storm } from "./storm.ts";

const parts = ["cycles", "origins", "soak"] as const;
const { values } = parseArgs({
  options: {
    cycles: { type: "string", default: "50" },
    "soak-minutes": { type: "string", default: "30" },
    only: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const [cycles, minutes, seed] = [values.cycles, values["soak-minutes"], values.seed].map(positive) as [
  number,
  number,
  number,
];
if (values.only !== undefined && !parts.some((part) => part === values.only)) {
  throw new Error(`--only is one of ${parts.join(", ")}`);
}
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
}
if (isWanted("origins")) console.log(stormTable(await storm((struck) => found(struck.breaches))));
if (isWanted("soak")) {
  const soaked = await soak(minutes * 60, seed);
  found(soakBreaches(soaked));
  console.log(soakLines(soaked));
}
if (breaches.length > 0) process.exitCode = 1;
console.log(`breaches: ${breaches.length}`);

function isWanted(part: (typeof parts)[number]): boolean {
  return values.only === undefined || values.only === part;
}

/** Tells at once: a run may take long. */
function found(fresh: readonly string[]): void {
  breaches.push(...fresh);
  for (const breach of fresh) console.log(`BREACH ${breach}`);
}

function positive(text: string | undefined): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`${text} is not a number above 0`);
  return number;
}
