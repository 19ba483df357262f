/** Targets that want to be taken for another path, against the routes and the admin prefix. */
import type { Fuzzer } from "../fuzzer.ts";
import { headerOf } from "./answers.ts";
import { type Bed, startBed } from "./bed.ts";
import { askInTurn, type Reply } from "./client.ts";
import { type Breach, runPlan, type Tally } from "./loop.ts";
import type { Seen } from "./origin.ts";
import { type Fate, fateOf } from "./path-model.ts";
import { target } from "./targets.ts";

/** By it the origin's record of a request is found again. */
const numberHeader = "x-number";
/** What anybody may read without a token. */
const open = new Set(["/_sluice/health", "/_sluice/openapi.json", "/_sluice/schema.json", "/_sluice/docs"]);

/** Is what became of a target what the contract says? `sent`: targets that the origin got for it. */
export function faultOfFate(fate: Fate, { answers }: Pick<Reply, "answers">, sent: readonly string[]): string | null {
  const [answer] = answers;
  if (sent.length > 1) return `twice: the origin got ${sent.join(" and ")}`;
  const [got] = sent;
  if (got !== undefined && (fate.kind !== "route" || got !== fate.sent))
    return `escaped: ${got.slice(0, 300)} at the origin, not ${JSON.stringify(fate).slice(0, 300)}`;
  if (answer === undefined) return null;
  const code = headerOf(answer, "sluice-error");
  // The runtime's own refusals: nothing of the gateway has seen them.
  if (code === null && [400, 414, 431].includes(answer.status) && got === undefined) return null;
  const isDone = answer.status < 300;
  switch (fate.kind) {
    case "route":
      return got === undefined ? `lost: ${answer.status} ${code}, not ${fate.sent.slice(0, 300)}` : null;
    case "none":
      return code === "route_not_found" ? null : `routed: ${answer.status} ${code}, not route_not_found`;
    case "own":
      if (isDone) return open.has(fate.path) ? null : `admitted: ${answer.status} for ${fate.path.slice(0, 300)}`;
      if (code === "unauthorized" || code === "not_found" || code === "method_not_allowed") return null;
      return `own: ${answer.status} ${code} for ${fate.path.slice(0, 300)}`;
  }
}

async function play(bed: Bed, targets: readonly Buffer[], tally: Tally): Promise<Breach[]> {
  const requests = targets.map((bytes, at) =>
    Buffer.concat([
      Buffer.from("GET "),
      bytes,
      Buffer.from(` HTTP/1.1\r\nHost: paths.test\r\n${numberHeader}: ${at}\r\n\r\n`),
    ]),
  );
  const replies = await askInTurn(bed.port, requests);
  const { breaches, seen } = await bed.judge(requests, replies, tally);
  const sent = sentByNumber(seen);
  targets.forEach((bytes, input) => {
    const fate = fateOf(bytes);
    tally(`aimed at ${fate.kind}`);
    if (sent.has(input)) tally("reached an origin");
    const what = faultOfFate(fate, replies[input]!, sent.get(input) ?? []);
    if (what !== null) breaches.push({ input, what });
  });
  return breaches;
}

function sentByNumber(seen: readonly Seen[]): Map<number, string[]> {
  const sent = new Map<number, string[]>();
  for (const { headers, target: got } of seen) {
    const [, number] = headers.find(([name]) => name === numberHeader) ?? [];
    if (number !== undefined) sent.set(Number(number), [...(sent.get(Number(number)) ?? []), got]);
  }
  return sent;
}

export const paths: Fuzzer = {
  name: "paths",
  about: "dot segments, encodings, absolute forms and the like against routes and the admin prefix",
  aims: { "aimed at own": 0.2, "aimed at route": 0.12, "reached an origin": 0.1, "401 unauthorized": 0.02 },
  async start() {
    const bed = await startBed();
    const subject = {
      make: target,
      play: (inputs: readonly Buffer[], tally: Tally) => play(bed, inputs, tally),
      changes: () => bed.changes(),
      cpuUs: () => bed.cpuUs(),
    };
    return { run: (plan) => runPlan(subject, plan), stop: () => bed.stop() };
  },
};
