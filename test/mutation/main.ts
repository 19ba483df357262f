/** `npm run mutation -- --under src/core/limiting --jobs 2`: how many planted faults the tests of `src/core` notice. See README.md. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { judge, type Result } from "./judge.ts";
import { justified } from "./justified/index.ts";
import { roomsOf, testsOf } from "./plan.ts";
import { scoreOf, staleOf, survivorsOf, tableOf } from "./report.ts";

const { values } = parseArgs({
  options: {
    under: { type: "string", default: "src/core" },
    jobs: { type: "string", default: "2" },
    "slow-ms": { type: "string", default: "300" },
    score: { type: "string", default: "85" },
  },
});
const root = fileURLToPath(new URL("../../", import.meta.url));
const tests = testsOf(root);
const rooms = new Map<string, Result[]>();
const chosen = roomsOf(root, values.under);
if (chosen.size === 0) throw new Error(`there is no file under ${values.under}`);
mkdirSync(`${root}coverage/mutation`, { recursive: true });
for (const [room, files] of chosen) {
  const onJudged = (done: number, all: number) => {
    if (done % 100 === 0 || done === all) console.error(`${room}: ${done} of ${all}`);
  };
  const results = await judge({
    root,
    files,
    tests,
    jobs: Number(values.jobs),
    slowMs: Number(values["slow-ms"]),
    onJudged,
  });
  rooms.set(room, results);
  writeFileSync(`${root}coverage/mutation/${room}.json`, JSON.stringify(results, null, 1));
  console.log(survivorsOf(results).join("\n"));
}
const all = [...rooms.values()].flat();
const stale = staleOf(all, justified);
console.log(tableOf(rooms));
for (const entry of stale) console.error(`stale in justified/: ${JSON.stringify(entry)}`);
if (stale.length > 0 || scoreOf(all) < Number(values.score)) process.exitCode = 1;
