/** `npm run mutation -- --under src/core/limiting --jobs 2`: how many planted faults the tests of `src/core` notice. See README.md. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InvalidArgumentError } from "commander";
import { number, optionsOf } from "../../scripts/options.ts";
import { judge, type Result } from "./judge.ts";
import { justified } from "./justified/index.ts";
import { roomsOf, testsOf } from "./plan.ts";
import { scoreOf, staleOf, survivorsOf, tableOf } from "./report.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const about = "Plants faults in src/core, one at a time, and lists those that its tests do not notice.";
const { under, jobs, slowMs, score } = optionsOf("npm run mutation", about, {
  under: { about: "only in files under it", takes: "path", read: existing, byDefault: "src/core" },
  jobs: number("processes at a time", 2),
  slowMs: number("leaves out tests that take more processor time", 300, { min: 0 }),
  score: number("percent of the faults that must be noticed", 85, { min: 0, max: 100, isWhole: false }),
});
const tests = testsOf(root);
const rooms = new Map<string, Result[]>();
mkdirSync(`${root}coverage/mutation`, { recursive: true });
for (const [room, files] of roomsOf(root, under)) {
  const onJudged = (done: number, all: number) => {
    if (done % 100 === 0 || done === all) console.error(`${room}: ${done} of ${all}`);
  };
  const results = await judge({ root, files, tests, jobs, slowMs, onJudged });
  rooms.set(room, results);
  writeFileSync(`${root}coverage/mutation/${room}.json`, JSON.stringify(results, null, 1));
  console.log(survivorsOf(results).join("\n"));
}
const all = [...rooms.values()].flat();
const stale = staleOf(all, justified);
console.log(tableOf(rooms));
for (const entry of stale) console.error(`stale in justified/: ${JSON.stringify(entry)}`);
if (stale.length > 0 || scoreOf(all) < score) process.exitCode = 1;

function existing(path: string): string {
  if (roomsOf(root, path).size > 0) return path;
  throw new InvalidArgumentError("There is no file of src/core under it.");
}
