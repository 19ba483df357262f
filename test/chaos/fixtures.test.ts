/** Today's gateway starts on what an earlier version stored, serves it, and can change it. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Gateway, startGateway, tokens } from "../support/gateway.ts";
import { migrationsIn, restore } from "./fixtures/dump.ts";
import { keptStates, missingShapes, shifted } from "./fixtures/kept.ts";
import { configOf, limitNames, originAddress, originUrl, spent } from "./fixtures/story.ts";

const prefix = "sluice-1";
const limit = 100;
const kept = keptStates(Date.now());
let origin: Server;
let asked: string[] = [];

beforeAll(async () => {
  origin = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end();
  });
  await new Promise<void>((resolve, reject) => origin.once("error", reject).listen(originAddress, resolve));
});

afterAll(() => {
  origin.close();
  origin.closeAllConnections();
});

describe.each(kept)("$name", ({ objects }) => {
  let dir: string;
  let gateway: Gateway;
  const hasOrder = objects.some(({ className }) => className === "ServiceHealth");

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "sluice-kept-"));
    restore(join(dir, "do"), prefix, objects);
    gateway = await startGateway({ isolates: 2, persist: dir });
  });

  afterAll(async () => {
    await gateway?.dispose();
    await rm(dir, { recursive: true, force: true });
  });

  const read = async <T>(path: string, init: Parameters<Gateway["admin"]>[1] = {}): Promise<T> => {
    const response = await gateway.admin(path, init);
    const text = await response.text();
    expect(response.ok, `${path}: ${text}`).toBe(true);
    return (text === "" ? null : JSON.parse(text)) as T;
  };
  const write = <T>(method: string, path: string, body: unknown) =>
    read<T>(path, {
      method,
      body: JSON.stringify(body),
      ...(path.includes("/origins/") && { token: tokens.registrar }),
    });
  const statusOf = async (path: string, isolate = 0) => {
    const response = await fetch(gateway.urls[isolate] + path, { headers: { "x-client": "kept" } });
    await response.arrayBuffer();
    return response.status;
  };

  it("serves the configuration with its history, and takes another", async () => {
    expect(await read("/v1/config")).toEqual(configOf("second"));
    expect(await read("/v1/config/revisions/1")).toMatchObject({ document: configOf("first") });
    for (const isolate of [0, 1]) expect(await statusOf("/second", isolate)).toBe(200);
    expect(await gateway.put(configOf("third"))).toBe(3);
    expect(await statusOf("/third")).toBe(200);
    expect(await read("/v1/config/diff?from=2&to=3")).toMatchObject({ from: 2, to: 3 });
  });

  it("goes on with the limits where they were", async () => {
    for (const name of limitNames) {
      const path = `/v1/limits/${name}/header:x-client=kept`;
      const charged = async () => (await read<{ windows: [{ charged: number }] }>(path)).windows[0].charged;
      // A bucket leaks; within the seconds that this takes by far less than one permit.
      expect(await charged(), name).toBeGreaterThan(spent - 0.1);
      let admitted = 0;
      while (admitted <= limit && (await statusOf(`/${name}`)) === 200) admitted++;
      expect(admitted, name).toBe(limit - spent);
      await read(path, { method: "DELETE" });
      expect(await charged(), name).toBeLessThan(spent);
    }
  });

  it("keeps registrations with their leases, tells of earlier events, and takes more", async () => {
    const leases = objects.flatMap(({ sql }) => [
      ...sql.matchAll(/^INSERT INTO origin VALUES \('(\w)'.*?'([0-9a-f-]{36})'/gm),
    ]);
    expect(leases.map(([, id]) => id)).toEqual(["a", "b"]);
    for (const [, id, leaseId] of leases)
      await write("POST", `/v1/services/users/origins/${id}/heartbeat`, { leaseId });
    const listed = await read<{ revision: number; origins: object[] }>("/v1/services/users");
    expect(listed.revision).toBe(4);
    const shown = { version: "v1", metadata: { kept: "yes" }, state: "ready" };
    expect(listed.origins).toMatchObject(["a", "b"].map((id) => ({ id, url: `${originUrl}/as/${id}`, ...shown })));
    const { events } = await read<{ events: { revision: number }[] }>("/v1/services/users/watch?from=0&waitSeconds=1");
    expect(events.map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
    await write("PUT", "/v1/services/users/origins/c", { url: `${originUrl}/as/c` });
    asked = [];
    const seen = () => new Set(asked.map((target) => target.split("/")[2]));
    await expect
      .poll(async () => (await statusOf("/users/x", 1)) === 200 && [...seen()].sort().join(), { timeout: 10_000 })
      .toBe("a,b,c");
  });

  it("obeys the order that was given, and the next one", async () => {
    const forced = await read<{ forced: string; revision: number }>("/v1/breakers/ordered");
    expect(forced).toMatchObject(hasOrder ? { forced: "forced-open", revision: 1 } : { forced: "auto", revision: 0 });
    await write("PUT", "/v1/services/ordered/origins/o", { url: originUrl });
    if (!hasOrder) await write("PUT", "/v1/breakers/ordered", { state: "forced-open" });
    await expect.poll(() => statusOf("/ordered"), { timeout: 10_000 }).toBe(503);
    await write("PUT", "/v1/breakers/ordered", { state: "auto" });
    await expect.poll(() => statusOf("/ordered"), { timeout: 10_000 }).toBe(200);
  });

  it("brings the tables to the shapes of today, of which every one before is kept", async () => {
    expect(gateway.uncaught()).toEqual([]);
    await gateway.dispose();
    const today = migrationsIn(join(dir, "do"), prefix);
    expect([...today.keys()].sort()).toEqual(["ControlPlane", "RateLimiter", "ServiceHealth", "ServiceRegistry"]);
    expect(missingShapes(kept, today)).toEqual([]);
    // The check can fail: this is what it says once a migration is appended to the shapes that no state is kept of.
    const [className, count] = [...today][0]!;
    const newer = new Map([[className, count + 2]]);
    expect(missingShapes(kept, newer)).toEqual([`${className} ${count + 1}`]);
  });
});

it("moments of a kept state are moved, but not those under a hash", () => {
  const text =
    "-- alarm 1795300000000000000\nINSERT INTO a VALUES (1795300000000);\nINSERT INTO blob VALUES (1795300000000);";
  expect(shifted(text, 5)).toBe(
    "-- alarm 1795300000005000000\nINSERT INTO a VALUES (1795300000005);\nINSERT INTO blob VALUES (1795300000000);",
  );
});
