/** A state that was lost is seen: the checks of a cycle are shown a gateway that never had what was acknowledged. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startFarm } from "../support/farm.ts";
import { seeded } from "../support/random.ts";
import { startKillable } from "./killable.ts";
import { configOf, emptyBooks, type Stage } from "./stage.ts";
import { lossesOf, serves } from "./survivors.ts";

it("a state that is gone is reported: configuration, origins, orders and quotas", async () => {
  const [dir, farm] = [await mkdtemp(join(tmpdir(), "sluice-lost-")), await startFarm(1)];
  const origin = farm.origins[0]!;
  const books = emptyBooks();
  let last = 0;
  const stageOf = (gateway: Stage["gateway"]): Stage => ({
    ...{ gateway, books, origin, random: seeded(1), clients: ["c"], next: () => ++last },
  });
  let gateway = await startKillable({ persist: join(dir, "before"), config: configOf(origin.url, 0) });
  try {
    const write = async (path: string, body: object): Promise<{ revision: number; leaseId: string }> => {
      const response = await gateway.admin(path, { method: "PUT", body: JSON.stringify(body) });
      return (await response.json()) as { revision: number; leaseId: string };
    };
    books.config.acknowledge("config", { value: 0, revision: 1 });
    const url = `${origin.url}/as/reg-0/o0/1`;
    const { revision, leaseId } = await write("/v1/services/reg-0/origins/o0", { url });
    books.origins.acknowledge("reg-0/o0", { value: url, revision });
    books.leases.set("reg-0/o0", leaseId);
    const ordered = await write("/v1/breakers/brk-0", { state: "forced-open" });
    books.orders.acknowledge("brk-0", { value: "forced-open", revision: ordered.revision });
    await (await fetch(`${gateway.url}/month`, { headers: { "x-client": "c" } })).arrayBuffer();
    expect((await serves(stageOf(gateway))).wrong).toEqual([]);
    expect(await lossesOf(stageOf(gateway))).toEqual([]);
    await gateway.kill();
    // Another state, with a configuration so that there is something to ask.
    gateway = await startKillable({ persist: join(dir, "after"), config: configOf(origin.url, 5) });
    const losses = (await lossesOf(stageOf(gateway))).join("\n");
    for (const lost of [
      /configuration config: 0 of revision 1 was acknowledged, 5/,
      /registry reg-0: revision 1 went back/,
      /origin reg-0\/o0: .* was acknowledged/,
      /lease of reg-0\/o0: a heartbeat is answered 404/,
      /order brk-0: forced-open of revision 1 was acknowledged, auto/,
      /quota month of c: 1 passed, 0 are charged/,
    ]) {
      expect(losses).toMatch(lost);
    }
  } finally {
    await gateway.dispose();
    await farm.dispose();
    await rm(dir, { recursive: true, force: true });
  }
});
