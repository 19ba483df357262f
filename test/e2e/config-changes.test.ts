/** A configuration that changes under load: each request sees one revision whole, and every isolate follows in time. */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { type Answer, ask, decided, startTraffic, until } from "./resilience/traffic.ts";

const isolates = 2;
const changes = 50;
const perSecond = 60;
const slackMs = 500;

let origin: Origin;
let gateway: Gateway;

/** What the origin is asked for and what the client is told come from two places of the document, both with the mark. */
const configOf = (mark: number) => ({
  gateway: { debugHeaders: true },
  services: { app: { origins: [{ id: "app", url: origin.url }] } },
  routes: [
    {
      ...{ name: "all", service: "app", timeouts: { requestMs: 5_000 } },
      rewrite: { path: { replaceFullPath: `/${mark}` } },
      response: { setHeaders: { "x-mark": String(mark) } },
    },
  ],
});

beforeAll(async () => {
  origin = await startOrigin(async ({ body, reply, target }) => {
    await body();
    await reply("200 OK", [], target.slice(1));
  });
  gateway = await startGateway({ isolates, config: configOf(0) });
});
afterAll(async () => {
  await gateway?.dispose();
  await origin?.dispose();
});

it("a canary: a client gets the same revision in every isolate, and no request fails when it is promoted", async () => {
  const percent = 30;
  const clients = Array.from({ length: 120 }, (_, at) => `198.51.100.${at}`);
  const visit = async (client: string, isolate: number) => {
    const answer = await ask(`${gateway.urls[isolate]}/x`, { "cf-connecting-ip": client });
    expect([answer.status, answer.body]).toEqual([200, answer.headers["x-mark"]]);
    return Number(answer.headers["x-mark"]);
  };
  const marksIn = (isolate: number) => Promise.all(clients.map((client) => visit(client, isolate)));
  const change = async (method: string, path: string, body?: object) => {
    const response = await gateway.admin(path, { method, ...(body && { body: JSON.stringify(body) }) });
    expect(response.status).toBe(200);
    await wait(2 * bounds.snapshotStaleMaxMs);
  };
  await change("PUT", `/v1/config?canary=${percent}`, configOf(1_000));
  const [one, two] = [await marksIn(0), await marksIn(1)];
  expect(two).toEqual(one);
  const share = one.filter((mark) => mark === 1_000).length / clients.length;
  const traffics = gateway.urls.map((url) => startTraffic({ urls: [url], path: "/x", perSecond }));
  await change("POST", "/v1/config/canary/promote");
  const answers = (await Promise.all(traffics.map((traffic) => traffic.stop()))).flat();
  expect(answers.every(({ status, body, headers }) => status === 200 && body === headers["x-mark"])).toBe(true);
  expect(new Set([...(await marksIn(0)), ...(await marksIn(1))])).toEqual(new Set([1_000]));
  console.info(
    `config: a canary of ${percent} % is seen by ${(100 * share).toFixed(0)} % of ${clients.length} clients, the same in all isolates`,
  );
  expect(Math.abs(100 * share - percent)).toBeLessThan(15);
});

it("fifty changes: no request fails, none sees two revisions, all isolates follow", async () => {
  const first = await gateway.put(configOf(0));
  const traffics = gateway.urls.map((url) => startTraffic({ urls: [url], path: "/x", perSecond }));
  await until(() => traffics.every(({ answers }) => answers.length > 10), "traffic");
  const madeMs: number[] = [];
  for (let mark = 1; mark <= changes; mark++) {
    // Sometimes faster than isolates can follow, sometimes not.
    const isolate = mark % isolates;
    const response = await gateway.admin("/v1/config", {
      method: "PUT",
      body: JSON.stringify(configOf(mark)),
      isolate,
    });
    expect(response.status).toBe(200);
    madeMs.push(Date.now());
    await wait(mark % 5 === 0 ? 1_200 : 40 * (mark % 4));
  }
  await wait(2 * bounds.snapshotStaleMaxMs);
  const all = await Promise.all(traffics.map((traffic) => traffic.stop()));
  const markOf = (answer: Answer) => Number(answer.headers["x-mark"]);
  for (const answer of all.flat()) {
    expect([answer.status, decided(answer, "revision")]).toEqual([200, first + markOf(answer)]);
    expect(answer.body).toBe(String(markOf(answer)));
  }
  // The slowest: how long after a change was answered a request was still sent to an isolate that did not know it.
  const behindMs = all.map((answers) =>
    Math.max(
      ...madeMs.map((atMs, at) =>
        Math.max(0, ...answers.filter((one) => markOf(one) <= at).map((one) => one.sentMs - atMs)),
      ),
    ),
  );
  const ages = all.flat().map((answer) => Number(decided(answer, "age")));
  console.info(
    `config: ${changes} changes, ${all.flat().length} requests, none failed; isolates were behind by at most ` +
      `${behindMs.join(", ")} ms, snapshots at most ${Math.max(...ages)} ms old`,
  );
  // An older snapshot makes requests wait; the rest is what the machine and two calls to objects take.
  for (const ms of behindMs) expect(ms).toBeLessThan(bounds.snapshotStaleMaxMs + slackMs);
  expect(Math.max(...ages)).toBeLessThan(bounds.snapshotStaleMaxMs + slackMs);
  expect(all.every((answers) => new Set(answers.map(markOf)).size > changes / 10)).toBe(true);
  // In each isolate revisions only rise (C1), in the order in which requests were decided: each was sent after another ended.
  for (const answers of all) {
    for (const later of answers.slice(1)) {
      const before = answers.filter((one) => one.sentMs + one.tookMs < later.sentMs).at(-1);
      if (before) expect(markOf(later)).toBeGreaterThanOrEqual(markOf(before));
    }
  }
  expect(gateway.uncaught()).toEqual([]);
});
