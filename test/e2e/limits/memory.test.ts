/** Any number of keys takes a bounded memory of the isolate. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Gateway, startGateway } from "../../support/gateway.ts";
import { type HttpOrigin, startHttpOrigin } from "../../support/http-origin.ts";
import { inParallel } from "../../support/parallel.ts";
import { ask } from "./load.ts";

const keys = 100_000;
const width = 64;
/**
 * What workerd may grow by in all. An isolate remembers 32,000 keys of less than 1 KiB; if it remembered all 200,000, that would be
 * some 150 MiB. What is resident also rises and falls with the garbage, by tens of MiB.
 */
const growthMiBMax = 128;

let gateway: Gateway;
let origin: HttpOrigin;
let pid: number;

beforeAll(async () => {
  const before = new Set(workerds());
  origin = await startHttpOrigin("here");
  const services = { s: { origins: [{ id: "o", url: origin.url }] } };
  // A request that costs more than the limit makes its key known to the isolate without a call: objects of 100,000 keys
  // would take more memory in this one process than what is measured.
  const many = { windows: [{ limit: 100, seconds: 60 }], key: ["header:x-key"], cost: { header: "x-cost" } };
  const routes = [{ name: "many", service: "s", rateLimits: ["many"] }];
  gateway = await startGateway({ config: { services, rateLimits: { many }, routes } });
  pid = workerds().find((some) => !before.has(some))!;
});

afterAll(async () => {
  await gateway?.dispose();
  await origin?.close();
});

/** The workerd processes that this one has started. */
function workerds(): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((some) => {
      try {
        const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${some}/stat`, "utf8")) ?? [];
        return name === "workerd" && Number(parent) === process.pid;
      } catch {
        return false;
      }
    });
}

/** Resident memory of workerd. */
function residentMiB(): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) / 1024;
}

async function send(keyOf: (at: number) => string, count: number, cost: string): Promise<void> {
  const all = Array.from({ length: count }, (_, at) => keyOf(at));
  const expected = cost === "1" ? 200 : 429;
  await inParallel(all, width, async (key) => {
    const { status } = await ask(gateway.url, { "x-key": key, "x-cost": cost });
    if (status !== expected) throw new Error(`${key}: ${status}`);
  });
}

it.runIf(process.platform === "linux")(
  `${2 * keys} distinct keys through one isolate`,
  async () => {
    // As many requests of one key first: what they leave behind is garbage, not keys.
    await send(() => "one", keys, "101");
    const atMiB = [residentMiB()];
    for (const round of ["first", "second"]) {
      await send((at) => `${round}-${at}`, keys, "101");
      atMiB.push(residentMiB());
    }
    const [before, first, second] = atMiB as [number, number, number];
    console.log(
      `workerd: ${before.toFixed(0)} MiB after ${keys} requests of one key, ${first.toFixed(0)} MiB after ${keys} keys, ` +
        `${second.toFixed(0)} MiB after ${keys} more`,
    );
    expect(second - before).toBeLessThan(growthMiBMax);
    // Keys with permits in hand, after all these.
    await send((at) => `leased-${at}`, 50, "1");
  },
  300_000,
);

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});
