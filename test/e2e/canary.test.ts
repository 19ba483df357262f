/** Which version answers, over real sockets. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type HttpOrigin, startHttpOrigin } from "../support/http-origin.ts";
import { inParallel } from "../support/parallel.ts";

let gateway: Gateway;
let origins: HttpOrigin[];

const width = 32;
const users = Array.from({ length: 10_000 }, (_, index) => `user-${index}`);

const configOf = (percentOfV2: number) => ({
  services: {
    users: {
      origins: origins.map(({ url }, index) => ({ id: `o${index}`, url, version: index < 2 ? "v1" : "v2" })),
      defaultVersion: "v1",
    },
  },
  routes: [
    {
      name: "users",
      matches: [{ path: { prefix: "/api" } }],
      service: "users",
      traffic: [
        { when: { headers: [{ name: "x-canary", exact: "always" }] }, version: "v2" },
        {
          split: [
            { version: "v1", weight: 100 - percentOfV2 },
            { version: "v2", weight: percentOfV2 },
          ],
          stickyBy: ["header:x-user-id", "ip"],
        },
      ],
    },
  ],
});

/** The version that answers; `isolate` counts on and wraps around. */
async function versionFor(headers: Record<string, string>, isolate = 0): Promise<string> {
  const response = await fetch(`${gateway.urls[isolate % gateway.urls.length]}/api/x`, { headers });
  expect(response.status).toBe(200);
  return await response.text();
}

const versionsFor = (some: readonly string[], isolate = 0) =>
  inParallel(some, width, (user) => versionFor({ "x-user-id": user }, isolate));

beforeAll(async () => {
  origins = await Promise.all(["v1", "v1", "v2"].map(startHttpOrigin));
  gateway = await startGateway({ config: configOf(5), isolates: 2 });
});

afterAll(async () => {
  await gateway?.dispose();
  await Promise.all(origins.map((origin) => origin.close()));
});

it("every request with the canary's header is answered by the canary", async () => {
  const versions = await inParallel(users.slice(0, 1_000), width, (user) =>
    versionFor({ "x-canary": "always", "x-user-id": user }),
  );
  expect(new Set(versions)).toEqual(new Set(["v2"]));
});

it("without it 10,000 users are split 95/5 within statistical error, and one without any key draws anew", async () => {
  const canaries = (await versionsFor(users)).filter((version) => version === "v2").length;
  const sigma = Math.sqrt(users.length * 0.05 * 0.95);
  console.log(`of ${users.length} users ${canaries} on v2`);
  expect(Math.abs(canaries - users.length * 0.05)).toBeLessThan(4 * sigma);

  await gateway.put(configOf(50));
  const drawn = await inParallel(users.slice(0, 1_000), width, () => versionFor({}));
  const share = drawn.filter((version) => version === "v2").length;
  expect(Math.abs(share - 500)).toBeLessThan(4 * Math.sqrt(250));
});

it("a user is on the same side in every isolate, and none leaves the canary while it grows 5 -> 20 -> 50", async () => {
  const some = users.slice(0, 2_000);
  let before: string[] = [];
  for (const percent of [5, 20, 50]) {
    await gateway.put(configOf(percent));
    const versions = await versionsFor(some);
    expect(await versionsFor(some, 1)).toEqual(versions);
    const left = some.filter((_, index) => before[index] === "v2" && versions[index] !== "v2");
    expect(left).toEqual([]);
    before = versions;
  }
});

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});
