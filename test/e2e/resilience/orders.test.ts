/** An operator's orders to breakers, and the record of what happened, over four isolates. */
import { beforeAll, describe, expect, it } from "vitest";
import { useFarm } from "../../support/farm-suite.ts";
import { breakerOf, breakersOf, eventsOf, force, pageOf } from "./story.ts";
import { type Answer, arrivalsAt, ask, decided, startTraffic, until } from "./traffic.ts";

const isolates = 4;
const perSecond = 20;
/** Until every isolate has a snapshot with the order, generously. */
const knownMsMax = 3_000;

const services = ["off", "canary", "allowed", "plain"] as const;
type Name = (typeof services)[number];

const suite = useFarm(
  services.length + 1,
  (urls) => ({
    gateway: { debugHeaders: true },
    services: Object.fromEntries(
      services.map((name, at) => [
        name,
        {
          ...(name !== "plain" && { circuitBreaker: { minimumRequests: 5, recoverySeconds: 0 } }),
          origins:
            name === "canary"
              ? [
                  { id: "one", url: urls[at], version: "v1" },
                  { id: "two", url: urls.at(-1), version: "v2" },
                ]
              : [{ id: name, url: urls[at] }],
        },
      ]),
    ),
    routes: services.map((name) => ({
      ...{ name, service: name, matches: [{ path: { prefix: `/${name}` } }] },
      ...(name === "canary" && { traffic: [{ versionFrom: { header: "x-version" } }] }),
    })),
  }),
  { isolates },
);

const originOf = (name: Name) => suite.farm.origins[services.indexOf(name)]!;
const askAll = (name: Name, version = "v1"): Promise<Answer[]> =>
  Promise.all(suite.gateway.urls.map((url) => ask(`${url}/${name}`, { "x-version": version })));
const statusesOf = (answers: readonly Answer[]) => new Set(answers.map(({ status }) => status));

beforeAll(async () => {
  // Every isolate knows every service before the first order.
  for (const name of services) expect(statusesOf(await askAll(name))).toEqual(new Set([200]));
});

describe("forced-open", () => {
  it.each(["off", "plain"] as const)("shuts a service off in every isolate until the order ends: %s", async (name) => {
    const traffic = startTraffic({ urls: suite.gateway.urls, path: `/${name}`, perSecond });
    await until(() => traffic.answers.length > isolates * 5, "traffic");
    const orderedMs = Date.now();
    expect(await force(suite.gateway, name, "forced-open")).toMatchObject({ forced: "forced-open" });
    const lastMs = await until(() => {
      const arrivals = arrivalsAt(originOf(name));
      const last = arrivals.at(-1)!.atMs;
      return Date.now() - last > 1_000 && last;
    }, "an origin that nobody asks");
    expect(lastMs - orderedMs).toBeLessThan(knownMsMax);
    const refused = await askAll(name);
    for (const answer of refused) {
      expect(answer).toMatchObject({ status: 503, headers: { "sluice-error": "circuit_open" } });
      expect(decided(answer, "breaker")).toBe("forced-open");
    }
    await force(suite.gateway, name, "auto");
    const endedMs = Date.now();
    await until(
      async () => statusesOf(await askAll(name)).size === 1 && (await askAll(name))[0]!.status === 200,
      "traffic",
    );
    const answers = await traffic.stop();
    expect(statusesOf(answers)).toEqual(new Set([200, 503]));
    console.info(
      `orders: ${name}: the last request reached the origin ${(lastMs - orderedMs).toFixed(0)} ms after the order, ` +
        `all isolates let requests through ${Date.now() - endedMs} ms after its end`,
    );
  });

  it("of one version leaves the others alone", async () => {
    const allOf = async (version: string, status: number) =>
      (await askAll("canary", version)).every((answer) => answer.status === status);
    expect(await allOf("v2", 200)).toBe(true);
    await force(suite.gateway, "canary", "forced-open", "v2");
    await until(() => allOf("v2", 503), "a version that is shut in all isolates", knownMsMax);
    expect(await allOf("v1", 200)).toBe(true);
    expect(await breakerOf(suite.gateway, "canary", "v2")).toMatchObject({ forced: "forced-open" });
    expect(await breakersOf(suite.gateway, "canary")).toMatchObject({ forced: "auto" });
    await force(suite.gateway, "canary", "auto", "v2");
    await until(() => allOf("v2", 200), "a version that is open again", knownMsMax);
  });
});

it("disabled lets everything through, whatever the origin answers", async () => {
  await force(suite.gateway, "allowed", "disabled");
  await until(
    async () => (await askAll("allowed")).every((answer) => decided(answer, "breaker") === "disabled"),
    "the order",
  );
  originOf("allowed").behave({ status: 500 });
  const answers = (await Promise.all(Array.from({ length: 15 }, () => askAll("allowed")))).flat();
  expect(statusesOf(answers)).toEqual(new Set([500]));
  expect(originOf("allowed").asked.length).toBeGreaterThanOrEqual(answers.length);
  await force(suite.gateway, "allowed", "auto");
});

it("what is no order is refused with the name of the field, and changes nothing", async () => {
  const before = await breakersOf(suite.gateway, "off");
  for (const [body, pointer] of [
    [{ state: "ajar" }, "#/state"],
    [{}, "#/state"],
    [{ state: "auto", version: 7 }, "#/version"],
    [{ state: "auto", until: "tomorrow" }, "#/until"],
  ] as const) {
    const response = await suite.gateway.admin("/v1/breakers/off", { method: "PUT", body: JSON.stringify(body) });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { errors: { pointer: string }[] }).errors.map((one) => one.pointer)).toEqual([
      pointer,
    ]);
  }
  const unknown = await suite.gateway.admin("/v1/breakers/nobody", { method: "PUT", body: '{"state":"auto"}' });
  expect(unknown.status).toBe(404);
  expect(await breakersOf(suite.gateway, "off")).toMatchObject({ forced: before.forced, breakers: before.breakers });
});

it("events tell every order once, in order, and go on where the reader has stopped", async () => {
  const told = await eventsOf(suite.gateway, "off", "breaker_forced");
  expect(told.map(({ forced }) => forced)).toEqual(["forced-open", "auto"]);
  const all: number[] = [];
  for (let since = 0; ; ) {
    const page = await pageOf(suite.gateway, since, 1);
    if (page.events.length === 0) break;
    all.push(page.events[0]!.id);
    expect(page.next).toBe(page.events[0]!.id);
    since = page.next;
  }
  expect(all.length).toBeGreaterThanOrEqual(8);
  expect(all).toEqual([...new Set(all)].sort((a, b) => a - b));
  expect((await pageOf(suite.gateway, all.at(-1)!)).events).toEqual([]);
});
