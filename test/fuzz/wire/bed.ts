/** A gateway on workerd with an origin behind it: what every fuzzer of the wire plays on. */
import { exactCpuUsOf, rssMibOf } from "../../../bench/measure/cpu.ts";
import { type Gateway, startGateway, tokens } from "../../support/gateway.ts";
import { withWorkerd } from "../../support/workerds.ts";
import { type Answer, headerOf } from "./answers.ts";
import { askAlone, type Reply } from "./client.ts";
import type { Breach, Tally } from "./loop.ts";
import { failureIn, faultOfSeen, leakIn, markHeader } from "./oracles.ts";
import { type Seen, type StrictOrigin, startStrictOrigin } from "./origin.ts";
import { type OwnOrigin, watchState } from "./state.ts";

export interface Bed {
  readonly gateway: Gateway;
  /** Where the gateway listens. */
  readonly port: number;
  /** What a batch has broken, by its replies, at the origin and in the log; and what the origin got. */
  judge(
    inputs: readonly Buffer[],
    replies: readonly Reply[],
    tally: Tally,
  ): Promise<{ breaches: Breach[]; seen: Seen[] }>;
  /** What is not as it was when this was last asked, or at the start. */
  changes(): Promise<string[]>;
  cpuUs(): number;
  /** Memory of workerd. */
  rssMib(): number;
  stop(): Promise<void>;
}

/** One service for each route, each with a path of its own at the origin, so that a request tells by which it came. */
export const services = ["api", "v2", "exact", "user", "word"] as const;
/** Base path of a service's origin. */
export const baseOf = (service: (typeof services)[number]): string => `/in/${service}`;

function documentOf(origin: string, mark: string): unknown {
  const setHeaders = { [markHeader]: mark };
  const route = (name: string, path: object, rewrite: object = {}) => ({
    name,
    matches: [{ path }],
    service: name,
    rewrite: { setHeaders, ...rewrite },
  });
  return {
    services: Object.fromEntries(
      services.map((name) => [name, { origins: [{ id: name, url: origin + baseOf(name) }] }]),
    ),
    routes: [
      route("api", { prefix: "/api" }, { stripPrefix: "/api" }),
      route("v2", { prefix: "/api/v2" }, { path: { replacePrefixMatch: "/two" } }),
      route("exact", { exact: "/exact/one" }),
      route("user", { pattern: "/users/:id/*" }),
      route("word", { regex: "/re/[a-z]+" }),
    ],
  };
}

/** A request that is answered 200 by way of the origin. */
const sound = Buffer.from("GET /api/sound HTTP/1.1\r\nHost: sound.test\r\nConnection: close\r\n\r\n");
/** What workerd logs of CONNECT, which reaches no code of the gateway, and of frames that no client may send. */
const ofRuntime = /connect\(\) function|WebSocket protocol error/;

/** `own`: an origin that the fuzzer itself registers, whose changes are none. */
export async function startBed(own?: OwnOrigin): Promise<Bed> {
  const origin = await startStrictOrigin();
  const mark = `mark-${process.pid}-${Math.trunc(performance.timeOrigin)}`;
  const config = documentOf(`http://127.0.0.1:${origin.port}`, mark);
  const { pid, started: gateway } = await withWorkerd(() => startGateway({ config }));
  const port = Number(new URL(gateway.url).port);
  const state = await watchState(gateway, own);
  return {
    gateway,
    port,
    judge: (inputs, replies, tally) => judge(inputs, replies, tally, { gateway, origin, mark, port }),
    changes: state,
    cpuUs: () => exactCpuUsOf(pid),
    rssMib: () => rssMibOf(pid),
    async stop() {
      await gateway.dispose();
      await origin.stop();
    },
  };
}

interface Parts {
  readonly gateway: Pick<Gateway, "uncaught">;
  readonly origin: StrictOrigin;
  readonly mark: string;
  readonly port: number;
}

/** Lines of the log that were looked at, by gateway. */
const read = new WeakMap<object, number>();
const bases = services.map(baseOf);

/** By the general rules; ends with a sound request, which has to be answered right. */
export async function judge(
  inputs: readonly Buffer[],
  replies: readonly Reply[],
  tally: Tally,
  { gateway, origin, mark, port }: Parts,
) {
  const breaches: Breach[] = [];
  replies.forEach((reply, input) => {
    const what = faultOfReply(reply, inputs[input]!);
    if (what !== null) breaches.push({ input, what });
    tally(reply.answers.length === 0 ? reply.end : nameOf(reply.answers[0]!));
    if (reply.answers.length > 1) tally("several answers");
  });
  const [answer] = await askAlone(port, [sound]);
  const { seen, malformed } = origin.take();
  const after = answer?.answers[0];
  if (after?.status !== 200 || after.body !== "ok") {
    breaches.push({
      input: null,
      what: `next: a sound request was answered ${after?.head.slice(0, 100) ?? answer?.end}`,
    });
  }
  for (const what of malformed) breaches.push({ input: null, what });
  for (const request of seen) {
    const what = faultOfSeen(request, mark, bases);
    if (what !== null) breaches.push({ input: null, what });
  }
  const uncaught = gateway.uncaught().filter((line) => !ofRuntime.test(line));
  for (const line of uncaught.slice(read.get(gateway) ?? 0)) breaches.push({ input: null, what: `uncaught: ${line}` });
  read.set(gateway, uncaught.length);
  return { breaches, seen };
}

const secrets = Object.values(tokens);

function faultOfReply({ answers, end, problem }: Reply, input: Buffer): string | null {
  if (problem !== null) return problem;
  if (end === "silent") return "hang: neither an answer nor an end";
  for (const answer of answers) {
    const isConnect = input.includes("CONNECT");
    const fault = leakIn(answer, input, secrets) ?? (isConnect ? null : failureIn(answer));
    if (fault !== null) return fault;
  }
  return null;
}

const nameOf = (answer: Answer): string => `${answer.status} ${headerOf(answer, "sluice-error") ?? ""}`.trim();
