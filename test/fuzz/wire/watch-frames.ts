/** Frames of all kinds to the watch endpoints, while other watchers have to go on getting their events. */
import { setTimeout as wait } from "node:timers/promises";
import type { Fuzzer } from "../fuzzer.ts";
import { type Bed, startBed } from "./bed.ts";
import { inLanes } from "./client.ts";
import { frames } from "./frames.ts";
import { type Breach, runPlan, type Subject, type Tally } from "./loop.ts";
import { session } from "./sessions.ts";
import { handshake, type SteadyWatcher, startWatcher } from "./watcher.ts";

/** Inputs that are sent on one connection. */
const eachMax = 16;
/** Memory that workerd may have more than after the first inputs, in MiB: it grows to some 350 before much is collected. */
const growthMibMax = 400;
const warmUpInputs = 4_096;
/** Time for an event to reach the other watchers, on a busy machine. */
const eventMsMax = 10_000;
const paths = ["/_sluice/v1/watch", "/_sluice/v1/services/api/watch"] as const;
const handshakes = paths.map(handshake);
/** By the registrations of this origin the other watchers get events. */
const own = { service: "api", origin: "steady" };

type FramesBed = Omit<Bed, "gateway" | "stop"> & { readonly gateway: Pick<Bed["gateway"], "register"> };

/** Frames for watchers, and what becomes of them and of the others. */
export class Frames implements Subject {
  readonly #bed: FramesBed;
  readonly #watchers: readonly SteadyWatcher[];
  readonly #eventMs: number;
  #inputs = 0;
  #warmMib = 0;
  #events = 0;

  constructor(bed: FramesBed, watchers: readonly SteadyWatcher[], eventMs = eventMsMax) {
    this.#bed = bed;
    this.#watchers = watchers;
    this.#eventMs = eventMs;
  }

  make = frames;
  cpuUs = (): number => this.#bed.cpuUs();

  play = async (inputs: readonly Buffer[], tally: Tally): Promise<Breach[]> => {
    const hasInputs = inputs.length > 0;
    const [found, deaf] = await Promise.all([this.#send(inputs, tally), hasInputs ? this.#deafOnes() : []]);
    const { breaches } = await this.#bed.judge([], [], tally);
    this.#inputs += inputs.length;
    return [...found, ...breaches, ...[...deaf, ...this.#growth()].map((what) => ({ input: null, what }))];
  };

  changes = (): Promise<string[]> => this.#bed.changes();

  /** What follows an input that ended its connection goes to the next one. */
  async #send(inputs: readonly Buffer[], tally: Tally): Promise<Breach[]> {
    const breaches: Breach[] = [];
    await inLanes(Math.ceil(inputs.length / eachMax), async (lane) => {
      const to = Math.min(inputs.length, (lane + 1) * eachMax);
      for (let at = lane * eachMax, turn = 0; at < to; turn++) {
        const greeting = handshakes[(lane + turn) % handshakes.length]!;
        const { read, end } = await session(this.#bed.port, greeting, inputs.slice(at, to), turn % 2 === 0);
        for (let left = read; left > 0; left--) tally("read");
        tally(end);
        const last = Math.min(at + read, to - 1);
        if (!/^(closed|ended)/.test(end)) breaches.push({ input: last, what: `${end.split(" ")[0]}: ${end}` });
        at += read + 1;
      }
    });
    return breaches;
  }

  /** A change of the registry has to reach every other watcher. */
  async #deafOnes(): Promise<string[]> {
    const before = this.#watchers.map(({ events }) => events());
    const isDeaf = ({ events }: SteadyWatcher, at: number) => events() === before[at];
    const zone = `z${this.#events++ % 100}`;
    const body = { url: "http://127.0.0.1:9", weight: 0, zone, ttlSeconds: 300 };
    await this.#bed.gateway.register(own.service, own.origin, body);
    const endMs = performance.now() + this.#eventMs;
    while (this.#watchers.some(isDeaf) && performance.now() < endMs) await wait(10);
    return this.#watchers
      .filter(isDeaf)
      .map(({ path, end }) => `deaf: the other watcher of ${path}: ${end() ?? "open"}`);
  }

  #growth(): string[] {
    const mib = this.#bed.rssMib();
    if (this.#inputs <= warmUpInputs) this.#warmMib = mib;
    const growth = mib - this.#warmMib;
    return growth > growthMibMax ? [`memory: ${Math.round(mib)} MiB, ${Math.round(growth)} more than at first`] : [];
  }
}

export const watchFrames: Fuzzer = {
  name: "watch-frames",
  about: "WebSocket frames of all kinds to the watch endpoints, while other watchers go on",
  aims: { read: 0.7, "closed 1000": 0.03, "closed 1002": 0.03, "closed 1008": 0.005 },
  async start() {
    const bed = await startBed(own);
    const watchers = await Promise.all(paths.map((path) => startWatcher(bed.port, path)));
    const subject = new Frames(bed, watchers);
    const stop = async () => {
      for (const { leave } of watchers) leave();
      await bed.stop();
    };
    return { run: (plan) => runPlan(subject, plan), stop };
  },
};
