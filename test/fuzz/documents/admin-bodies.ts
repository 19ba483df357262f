/** Every call of the admin API that takes a body, with hostile JSON, on workerd over HTTP. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { startGateway } from "../../support/gateway.ts";
import type { Finding, Fuzzer, FuzzPlan, FuzzReport } from "../fuzzer.ts";
import { wrongWithAnswer } from "./admin-answers.ts";
import { type AdminCall, adminCalls, standardConfig, unmatchedCalls } from "./admin-calls.ts";
import { AdminClient } from "./admin-client.ts";
import { wrongWithChange } from "./admin-state.ts";
import { type Body, bodiesFrom, shownBody } from "./bodies.ts";
import { type Count, cpuSecondsMax, findingsMax, messageOf, newTally, seedOf } from "./hunt.ts";

const batchInputs = 250;

/** What is wrong, and which body of the batch has done it; null: not known. */
interface Wrong {
  readonly at: number | null;
  readonly what: string;
}

/** One call after the other, a batch each. */
class Batches {
  readonly #client: AdminClient;
  readonly #leaseId: string;
  readonly #ordinary: string;
  readonly calls: readonly AdminCall[];

  constructor(client: AdminClient, leaseId: string, ordinary: string) {
    this.#client = client;
    this.#leaseId = leaseId;
    this.#ordinary = ordinary;
    this.calls = adminCalls(leaseId);
  }

  /** Plays a batch, and counts the answers. */
  async play(call: AdminCall, bodies: readonly Body[], count: Count = () => {}): Promise<Wrong | null> {
    const client = this.#client;
    if (call.name.endsWith("drain")) await client.restore(await client.state(), this.#leaseId, true);
    const before = await client.state();
    const cpuBefore = client.cpuSeconds();
    const exchanges = await client.exchange(call, bodies);
    const cpuSeconds = client.cpuSeconds() - cpuBefore;
    for (const { answer } of exchanges) {
      count(`${answer?.status}`);
      count(`${call.name} ${answer?.status}`);
    }
    const after = await client.state();
    const documents = await client.documents(call.domain === "config" ? exchanges : []);
    await client.restore(after, this.#leaseId);
    for (const [at, exchange] of exchanges.entries()) {
      const what = wrongWithAnswer(exchange);
      if (what !== null) return { at, what: `${call.name} to ${exchange.target}: ${what}` };
    }
    const change = wrongWithChange(call.domain, exchanges, before, after, documents);
    if (change !== null) return { at: null, what: `${call.name}: ${change}` };
    if ((await client.ordinary()) !== this.#ordinary)
      return { at: null, what: `${call.name}: an ordinary request is answered in another way` };
    if (cpuSeconds > cpuSecondsMax && bodies.length === 1)
      return { at: 0, what: `${call.name}: ${cpuSeconds.toFixed(1)} s of CPU` };
    return cpuSeconds > cpuSecondsMax ? this.#dear(call, bodies) : null;
  }

  /** Looks for one body that takes the CPU, by halves; a batch may also be dear by its number. */
  async #dear(call: AdminCall, bodies: readonly Body[]): Promise<Wrong | null> {
    const half = Math.ceil(bodies.length / 2);
    const first = await this.play(call, bodies.slice(0, half));
    if (first !== null) return first;
    const second = await this.play(call, bodies.slice(half));
    return second && { ...second, at: second.at === null ? null : second.at + half };
  }

  /** The first body that does it alone, made smaller; the target is the one that it had. */
  async shrunk(call: AdminCall, bodies: readonly Body[], { at }: Wrong, arbitrary: fc.Arbitrary<Body>, seed: number) {
    for (const index of at === null ? bodies.keys() : [at]) {
      const target = call.targets[index % call.targets.length]!;
      const property = fc.asyncProperty(arbitrary, async (body) => {
        const wrong = await this.play({ ...call, targets: [target] }, [body]);
        if (wrong !== null) throw new Error(wrong.what);
      });
      const { failed, counterexample, errorInstance } = await fc.check(property, {
        seed,
        path: `${index}`,
        numRuns: 1,
        interruptAfterTimeLimit: 60_000,
      });
      if (failed && counterexample)
        return { index, shown: shownBody(counterexample[0]), what: messageOf(errorInstance) };
    }
    return null;
  }
}

async function run(batches: Batches, plan: FuzzPlan): Promise<FuzzReport> {
  const beganMs = performance.now();
  const { counts, count } = newTally();
  const findings: Finding[] = [];
  const arbitraries = batches.calls.map(({ good }) => bodiesFrom(good));
  let played = 0;
  for (let batch = 0; played < plan.inputs && findings.length < findingsMax; batch++) {
    const call = batches.calls[batch % batches.calls.length]!;
    const arbitrary = arbitraries[batch % batches.calls.length]!;
    const seed = seedOf(plan, batch);
    const numRuns = Math.min(batchInputs, plan.inputs - played);
    const property = fc.asyncProperty(arbitrary, async () => {});
    const bodies = fc.sample(property, { seed, numRuns }).map((drawn) => (drawn as [Body])[0]);
    const wrong = await batches.play(call, bodies, count);
    if (wrong !== null) {
      const small = await batches.shrunk(call, bodies, wrong, arbitrary, seed);
      const input = played + (small?.index ?? wrong.at ?? 0);
      const shown = small?.shown ?? "no body of the batch does it alone";
      findings.push({ seed: plan.seed, input, what: small?.what ?? wrong.what, shown });
    }
    played += bodies.length;
  }
  return { inputs: played, seconds: (performance.now() - beganMs) / 1_000, findings, counts };
}

/** In memory where there is such a place, as what is fuzzed is not the disk. Gone with the process, unless that is killed. */
function storageDir(): string {
  const memory = "/dev/shm";
  const parent = statSync(memory, { throwIfNoEntry: false })?.isDirectory() ? memory : tmpdir();
  const dir = mkdtempSync(join(parent, "sluice-fuzz-"));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export const adminBodiesFuzzer: Fuzzer = {
  name: "admin-bodies",
  about: "hostile JSON to every call of the admin API that takes a body, on workerd",
  aims: { "200": 0.015, "400": 0.3, "422": 0.02 },
  async start() {
    const persist = storageDir();
    const gateway = await startGateway({ config: standardConfig, persist });
    const client = new AdminClient(gateway);
    const { leaseId } = await gateway.register("users", "kept", { url: "http://192.0.2.8", ttlSeconds: 300 });
    const batches = new Batches(client, leaseId, await client.ordinary());
    const openApi = await (await gateway.admin("/openapi.json")).json();
    const unmatched = unmatchedCalls(openApi as never, batches.calls);
    const stop = async () => {
      await gateway.dispose();
      rmSync(persist, { recursive: true });
    };
    if (unmatched.length === 0) return { run: (plan) => run(batches, plan), stop };
    await stop();
    throw new Error(`no bodies are made for, or there are no more: ${unmatched.join(", ")}`);
  },
};
