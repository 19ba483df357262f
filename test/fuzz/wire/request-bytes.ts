/** Requests to the letter, of which bytes were then changed. */
import type { Random } from "../../support/random.ts";
import type { Fuzzer } from "../fuzzer.ts";
import { startBed } from "./bed.ts";
import { askAlone } from "./client.ts";
import { runPlan } from "./loop.ts";
import { mutated } from "./mutate.ts";
import { request } from "./requests.ts";

/** Share of the inputs that stay as the grammar made them, so that some surely reach the origin. */
const soundShare = 0.2;

export function mutatedRequest(random: Random): Buffer {
  const input = request(random);
  return random.chance(soundShare) ? input : mutated(input, random, () => request(random));
}

export const requestBytes: Fuzzer = {
  name: "request-bytes",
  about: "requests with bytes flipped, inserted, left out, repeated, spliced: framing, smuggling, leaks",
  aims: { "200": 0.12, "404 route_not_found": 0.04, "401 unauthorized": 0.01, "400 invalid_request": 0.02 },
  async start() {
    const bed = await startBed();
    const subject = {
      make: mutatedRequest,
      play: async (inputs: readonly Buffer[], tally: (name: string) => void) =>
        (await bed.judge(inputs, await askAlone(bed.port, inputs), tally)).breaches,
      changes: () => bed.changes(),
      cpuUs: () => bed.cpuUs(),
    };
    return { run: (plan) => runPlan(subject, plan), stop: () => bed.stop() };
  },
};
