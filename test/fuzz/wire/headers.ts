/** Hostile header sections on routes, and guesses of tokens on the admin API. */
import type { Fuzzer } from "../fuzzer.ts";
import { type Bed, startBed } from "./bed.ts";
import { askAlone, askInTurn, type Reply } from "./client.ts";
import { headed } from "./header-lines.ts";
import { type Breach, runPlan, type Tally } from "./loop.ts";

/**
 * One that a parser may take for none or for several has a connection of its own, as what follows would be read with it; so
 * has one that ends its connection, which pipelined would only have to be sent again.
 */
const isAlone = (text: string): boolean =>
  /\n(content-length|content_length|transfer[-_]encoding|connection|upgrade|expect)|\0|\r[^\n]|[^\r]\n|[^!-9;-~]:|\n[^!-~]/i.test(
    text,
  ) || text.match(/\nhost:/gi)?.length !== 1;

/** No guess is let in: what is under the admin API's `/v1` answers no success to anybody without a token. */
export function faultOfGuess(input: Buffer, { answers }: Pick<Reply, "answers">): string | null {
  if (!/^[A-Z]+ \/_sluice\/v1\//.test(input.subarray(0, 40).toString("latin1"))) return null;
  const let_in = answers.find(({ status }) => status < 400);
  return let_in === undefined ? null : `admitted: ${let_in.head.slice(0, 100)}`;
}

async function play(bed: Bed, inputs: readonly Buffer[], tally: Tally): Promise<Breach[]> {
  const replies: Reply[] = [];
  const single: number[] = [];
  const inTurn: number[] = [];
  inputs.forEach((input, at) => void (isAlone(input.toString("latin1")) ? single : inTurn).push(at));
  const pick = (which: readonly number[]) => which.map((at) => inputs[at]!);
  const put = (which: readonly number[], answered: readonly Reply[]) =>
    which.forEach((at, index) => {
      replies[at] = answered[index]!;
    });
  await Promise.all([
    askInTurn(bed.port, pick(inTurn)).then((answered) => put(inTurn, answered)),
    askAlone(bed.port, pick(single)).then((answered) => put(single, answered)),
  ]);
  const { breaches, seen } = await bed.judge(inputs, replies, tally);
  for (const _ of seen) tally("requests at the origin");
  inputs.forEach((input, at) => {
    const what = faultOfGuess(input, replies[at]!);
    if (what !== null) breaches.push({ input: at, what });
  });
  return breaches;
}

export const headers: Fuzzer = {
  name: "headers",
  about: "forged, repeated, folded, huge header fields; lengths that contradict; guesses of tokens on every admin call",
  aims: { "requests at the origin": 0.2, "401 unauthorized": 0.1, "403 forbidden": 0.02, "431": 0.0001 },
  async start() {
    const bed = await startBed();
    const subject = {
      make: headed,
      play: (inputs: readonly Buffer[], tally: Tally) => play(bed, inputs, tally),
      changes: () => bed.changes(),
      cpuUs: () => bed.cpuUs(),
    };
    return { run: (plan) => runPlan(subject, plan), stop: () => bed.stop() };
  },
};
