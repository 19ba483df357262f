/** A large configuration, over real sockets. How much work a match is, is counted in test/unit/snapshot/many-routes.test.ts. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { type HttpOrigin, startHttpOrigin } from "../support/http-origin.ts";
import { manyRoutes } from "../support/many-routes.ts";

let gateway: Gateway;
let origin: HttpOrigin;

beforeAll(async () => {
  origin = await startHttpOrigin("found");
  gateway = await startGateway();
});

afterAll(async () => {
  await gateway?.dispose();
  await origin?.close();
});

it("a configuration of 1,000 routes applies, and the first, the last and those between are found", async () => {
  const { config, requests } = manyRoutes(1_000, origin.url);
  await gateway.put(config);
  for (const index of [0, 1, 2, 3, 500, 997, 998, 999]) {
    const { path, name } = requests[index]!;
    const response = await fetch(gateway.url + path);
    expect(response.status, path).toBe(200);
    expect(response.headers.get("sluice-decision")).toContain(`route="${name}"`);
    await response.body?.cancel();
  }
  expect((await fetch(`${gateway.url}/elsewhere`)).status).toBe(404);
});
