/** The oracles bite: each is shown a fault that was planted. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import type { Gateway } from "../../support/gateway.ts";
import { type Answer, AnswerReader } from "./answers.ts";
import { judge } from "./bed.ts";
import type { Reply } from "./client.ts";
import { faultOfGuess } from "./headers.ts";
import { type Breach, cpuUsMax, runPlan, type Subject } from "./loop.ts";
import { failureIn, faultOfSeen, leakIn, markHeader } from "./oracles.ts";
import { RequestReader, type Seen, type StrictOrigin } from "./origin.ts";
import { fateOf } from "./path-model.ts";
import { faultOfFate } from "./paths.ts";
import { Frames } from "./watch-frames.ts";

const mark = "secret";
const made = `Host: o\r\nVia: 1.1 sluice\r\nX-Request-Id: a\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\n${markHeader}: ${mark}\r\n`;

/** What the origin says of bytes that it gets. */
function faultsOf(bytes: string): (string | null)[] {
  const seen: Seen[] = [];
  const malformed = new RequestReader((request) => seen.push(request)).push(Buffer.from(bytes, "latin1"));
  return [malformed, ...seen.map((request) => faultOfSeen(request, mark, ["/in/api"]))].filter(
    (fault) => fault !== null,
  );
}

const sound = `GET /in/api/x HTTP/1.1\r\n${made}\r\n`;
const posted = (framing: string, body: string) => `POST /in/api/x HTTP/1.1\r\n${made}${framing}\r\n\r\n${body}`;

test("a request as the gateway makes it is no fault", () => {
  expect(faultsOf(sound)).toEqual([]);
  expect(faultsOf(posted("Transfer-Encoding: chunked", "1\r\na\r\n0\r\n\r\n"))).toEqual([]);
});

test.each([
  [
    "a second request in the body of one",
    posted("Content-Length: 1", "aGET /in/api/y HTTP/1.1\r\nHost: o\r\n\r\n"),
    "smuggling",
  ],
  ["two lengths", posted("Content-Length: 1\r\nTransfer-Encoding: chunked", "a"), "smuggling"],
  ["a length that is no number", posted("Content-Length: +1", "a"), "smuggling"],
  ["a chunk longer than its size", posted("Transfer-Encoding: chunked", "1\r\nab\r\n0\r\n\r\n"), "smuggling"],
  ["a line break in a value", sound.replace("Host: o", "Host: o\r\nX: a\rb"), "origin"],
  ["NUL in a value", sound.replace("Host: o", "Host: o\r\nX: a\0b"), "origin"],
  ["a space in the target", sound.replace("/x", "/x y"), "origin"],
  ["a reserved header", sound.replace("Host: o", "Host: o\r\nX_Forwarded_For: 6.6.6.6"), "forged"],
  ["a gateway's header twice", sound.replace("Host: o", "Host: o\r\nX-Forwarded-Host: evil"), "forged"],
  ["a hop-by-hop header", sound.replace("Host: o", "Host: o\r\nKeep-Alive: a"), "hop"],
  ["a path beside the route's", sound.replace("/in/api/x", "/in/apix"), "escaped"],
  ["a dot segment", sound.replace("/in/api/x", "/in/api/%2e%2E/x"), "escaped"],
])("found at the origin: %s", (_, bytes, rule) => {
  expect(faultsOf(bytes).map((fault) => fault!.split(":")[0])).toEqual([rule]);
});

const answered = (bytes: string): AnswerReader => {
  const reader = new AnswerReader(false);
  reader.push(Buffer.from(bytes, "latin1"));
  reader.end(true);
  return reader;
};
const answer = (body: string, status = 200): Answer => ({ status, head: `HTTP/1.1 ${status} X`, body });

test.each([
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no",
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
  "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n",
  "HTTP/9 200 OK\r\n\r\n",
  "junk\r\n\r\n",
])("found in an answer: it is malformed: %j", (bytes) => expect(answered(bytes).problem).toMatch(/^malformed/));

test("found in an answer: a stack, a binding, a token; not what the client itself has said", () => {
  const nothing = Buffer.from("");
  expect(leakIn(answer("Error\n    at Object.fetch (index.js:1:2)"), nothing, [])).toMatch(/^leak/);
  expect(leakIn(answer("CONTROL_PLANE"), nothing, [])).toMatch(/^leak/);
  expect(leakIn(answer("CONTROL_PLANE"), Buffer.from("GET /CONTROL_PLANE"), [])).toBeNull();
  expect(leakIn(answer("tok"), Buffer.from("tok"), ["tok"])).toMatch(/^leak/);
  expect(failureIn(answer("Internal Server Error", 500))).toMatch(/^crash/);
});

test("found by the model: an escape, a request that was let in, one that was lost", () => {
  const fate = (target: string) => fateOf(Buffer.from(target));
  const replied = (status: number, code: string) => ({
    answers: [{ status, head: `HTTP/1.1 ${status} X\r\nsluice-error: ${code}`, body: "" }],
  });
  expect(fate("/api/../%5Fsluice/v1/config")).toEqual({ kind: "own", path: "/_sluice/v1/config" });
  expect(fate("/api/v2/a%2F..%2f?q")).toEqual({ kind: "route", name: "v2", sent: "/in/v2/two/a%2F..%2f?q" });
  expect(faultOfFate(fate("/api/x"), replied(200, ""), ["/in/api/y"])).toMatch(/^escaped/);
  expect(faultOfFate(fate("/api/x"), replied(200, ""), ["/in/api/x", "/in/api/x"])).toMatch(/^twice/);
  expect(faultOfFate(fate("/api/x"), replied(404, "route_not_found"), [])).toMatch(/^lost/);
  expect(faultOfFate(fate("/nothing"), replied(502, "upstream_unreachable"), [])).toMatch(/^routed/);
  expect(faultOfFate(fate("/_sluice/v1/config"), replied(404, "route_not_found"), [])).toMatch(/^own/);
  expect(faultOfFate(fate("/_sluice/v1/config"), { answers: [answer("{}")] }, [])).toMatch(/^admitted/);
  expect(faultOfGuess(Buffer.from("GET /_sluice/v1/config HTTP/1.1"), { answers: [answer("{}")] })).toMatch(
    /^admitted/,
  );
});

/** A port at which every connection gets the same and is ended. */
async function answering(bytes: string): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.resume();
    socket.end(bytes, "latin1");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await once(server.close(), "close");
    },
  };
}
const nobody = { take: () => ({ seen: [], malformed: [] }) } as unknown as StrictOrigin;
const rulesOf = (breaches: readonly Breach[]) => breaches.map(({ what }) => what.split(":")[0]);
const soundAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

test("found after a batch: no answer to an input, none to a sound request, an exception, each once", async () => {
  const silent: Reply = { answers: [], end: "silent", problem: null };
  await using dead = await answering("");
  await using alive = await answering(soundAnswer);
  const gateway = { uncaught: () => ["Error: planted"] };
  const found = async (port: number, replies: readonly Reply[]) => {
    const inputs = replies.map(() => Buffer.from(""));
    return rulesOf((await judge(inputs, replies, () => {}, { gateway, origin: nobody, mark, port })).breaches);
  };
  expect(await found(alive.port, [silent])).toEqual(["hang", "uncaught"]);
  expect(await found(alive.port, [])).toEqual([]);
  expect(await found(dead.port, [])).toEqual(["next"]);
});

test("found by frames: a watcher that hears nothing, a handshake that is refused, a frame of no known kind, memory", async () => {
  const switched = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  await using refusing = await answering(soundAnswer);
  await using strange = await answering(`${switched}\x82\x00`);
  const deaf = { path: "/w", events: () => 0, end: () => null, leave: () => {} };
  let mib = 100;
  const framesTo = (port: number, watchers: readonly (typeof deaf)[]) => {
    const gateway = { register: async () => {} } as unknown as Gateway;
    const bed = { judge: async () => ({ breaches: [], seen: [] }), changes: async () => [], cpuUs: () => 0 };
    return new Frames({ ...bed, port, gateway, rssMib: () => mib }, watchers, 10);
  };
  const found = async (frames: Frames, count: number) =>
    rulesOf(await frames.play(Array(count).fill(Buffer.from("")), () => {}));
  expect(await found(framesTo(refusing.port, [deaf]), 1)).toEqual(["refused", "deaf"]);
  const frames = framesTo(strange.port, []);
  expect(await found(frames, 1)).toEqual(["frame"]);
  mib = 1_000;
  expect((await found(frames, 4_096)).at(-1)).toBe("memory");
});

/** A gateway that breaks on inputs with an "x", or takes long for them. */
const broken = (breaks: boolean, costs: boolean): Subject => {
  let usedUs = 0;
  return {
    make: (random) =>
      Buffer.from(Array.from({ length: 20 }, () => "abcdefghijklmnopqrstuvwxyz".charCodeAt(random.int(0, 25)))),
    async play(inputs) {
      const isHit = inputs.some((input) => input.includes("x"));
      if (isHit && costs) usedUs += 2 * cpuUsMax;
      return isHit && breaks ? [{ input: null, what: "broken: x" }] : [];
    },
    changes: async () => (costs ? [] : ["changed: /v1/config"]),
    cpuUs: () => usedUs,
  };
};

test.each([
  ["a breach", "broken: x", broken(true, false)],
  ["an input that costs over a second of CPU", "cpu: 2000 ms", broken(false, true)],
])("found in a batch, traced to one input and made small: %s", async (_, what, subject) => {
  const { findings } = await runPlan(subject, { inputs: 4, seed: 3 });
  expect(findings[0]).toMatchObject({ what, shown: '"x"' });
});

test("found while it runs: a configuration that was changed, and by which inputs", async () => {
  let played = 0;
  let asked = 0;
  const subject: Subject = {
    ...broken(false, false),
    async play(inputs) {
      played += inputs.length;
      return [];
    },
    changes: async () => (++asked === 2 ? [`changed: after ${played}`] : []),
  };
  const { findings } = await runPlan(subject, { inputs: 10_000, seed: 1 });
  expect(findings.map(({ input, what }) => [input, what])).toEqual([[2_048, "changed: after 4096 (by 2048 to 4095)"]]);
});
