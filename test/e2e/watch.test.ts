/** Watchers over real sockets: what they see across cut connections, and that those who are gone take no place. */
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { type Connection, type HeaderLines, open } from "../support/client.ts";
import { type Gateway, startGateway, tokens } from "../support/gateway.ts";
import { closePayload, opcodes, readFrame, sendFrame, upgradeHeaders } from "../support/websocket.ts";
import type { Wire } from "../support/wire.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ isolates: 2, config: { services: { users: {}, crowded: {} } } });
});
afterAll(() => gateway?.dispose());

/** Numbers from 0 to 1, the same in every run (a linear congruence). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Event {
  readonly [name: string]: unknown;
}

/** A watcher whose connections do not last: it goes on from the last position that it has seen. */
class Watcher {
  readonly events: Event[] = [];
  readonly ends = { polled: 0, cutPolls: 0, cutStreams: 0, closedStreams: 0 };
  readonly #path: string;
  readonly #name: string;
  readonly #random: () => number;
  #position: number;

  /** `name`: what a position is called. */
  constructor(path: string, name: string, position: number, seed: number) {
    this.#path = path;
    this.#name = name;
    this.#position = position;
    this.#random = seeded(seed);
  }

  get position(): number {
    return this.#position;
  }

  /** One connection after the other, by poll and stream in turn, until the position is reached. */
  async until(target: () => number): Promise<void> {
    let vain = 0;
    for (let turn = 0; this.#position < target(); turn++) {
      const isolate = Math.floor(this.#random() * gateway.urls.length);
      // Longer each time that nothing came, or a gateway that is slow for once would never be heard to the end.
      const cutMs = Math.floor(this.#random() * 60) * 1.2 ** Math.min(vain, 20);
      const before = this.#position;
      if (turn % 2 === 0) await this.#poll(isolate, Math.floor(cutMs));
      else await this.#stream(isolate, cutMs);
      vain = this.#position === before ? vain + 1 : 0;
    }
  }

  async #poll(isolate: number, cutMs: number): Promise<void> {
    try {
      const path = `${this.#path}?from=${this.#position}&waitSeconds=1`;
      const response = await gateway.admin(path, { isolate, token: tokens.viewer, signal: AbortSignal.timeout(cutMs) });
      const answer = (await response.json()) as Event & { readonly events: Event[] };
      expect(response.status, JSON.stringify(answer)).toBe(200);
      this.events.push(...answer.events);
      this.#position = answer[this.#name] as number;
      this.ends.polled++;
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") throw error;
      this.ends.cutPolls++;
    }
  }

  async #stream(isolate: number, cutMs: number): Promise<void> {
    const connection = await open(gateway.urls[isolate]!);
    const cut = setTimeout(() => (this.#random() < 0.5 ? connection.reset() : connection.close()), cutMs);
    try {
      await this.#read(connection);
      this.ends.closedStreams++;
    } catch (error) {
      if (!connection.wire.socket.destroyed) throw error;
      this.ends.cutStreams++;
    } finally {
      clearTimeout(cut);
      connection.close();
    }
  }

  async #read(connection: Connection): Promise<void> {
    const target = `/_sluice${this.#path}?from=${this.#position}`;
    await connection.send({ target, headers: upgradeHeaders([["Authorization", `Bearer ${tokens.viewer}`]]) });
    expect((await connection.head()).status).toBe(101);
    for (;;) {
      const { opcode, payload } = await readFrame(connection.wire);
      if (opcode === opcodes.close) return;
      const event = JSON.parse(payload.toString()) as Event;
      this.events.push(event);
      this.#position = event[this.#name] as number;
    }
  }
}

async function write(method: string, origin: string, body?: unknown): Promise<void> {
  const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await gateway.admin(`/v1/services/users/origins/${origin}`, init);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${method} ${origin}: ${response.status}`);
}

it("misses none of 1,000 changes and sees none twice, however often its connection is cut", async () => {
  const count = 1_000;
  const { version } = (await (await gateway.admin("/v1/watch")).json()) as { version: number };
  const service = new Watcher("/v1/services/users/watch", "revision", 0, 1);
  const manifest = new Watcher("/v1/watch", "version", version, 2);
  const random = seeded(3);
  const live = new Map<string, number>();
  let made = 0;
  let latest = Number.POSITIVE_INFINITY;
  /** Each has origins of its own, so that what is left of them is known. */
  const writer = async (name: string) => {
    while (made < count) {
      const origin = `${name}${Math.floor(random() * 5)}`;
      made++;
      if (live.has(origin) && random() < 0.3) {
        live.delete(origin);
        await write("DELETE", origin);
      } else {
        live.set(origin, made);
        await write("PUT", origin, { url: "https://a.example.com", weight: made, ttlSeconds: 300 });
      }
    }
  };
  const writing = async () => {
    await Promise.all(["a", "b", "c", "d"].map(writer));
    // The manifest has the last change a moment later.
    await wait(10 * bounds.publishDelayMs);
    latest = ((await (await gateway.admin("/v1/watch")).json()) as { version: number }).version;
  };
  await Promise.all([writing(), service.until(() => count), manifest.until(() => latest)]);

  expect(service.events.map(({ revision }) => revision)).toEqual(Array.from({ length: count }, (_, n) => n + 1));
  const after = new Map<unknown, unknown>();
  for (const { type, origin, weight } of service.events) {
    if (type === "removed") after.delete(origin);
    else after.set(origin, weight);
  }
  expect(after).toEqual(live);
  const versions = manifest.events.map((event) => event.version);
  expect(versions).toEqual(Array.from({ length: latest - version }, (_, n) => version + 1 + n));
  expect(manifest.events.every(({ section }) => section === "origins/users")).toBe(true);
  console.log("ends of connections", service.ends, manifest.ends, `${versions.length} versions`);
  for (const { ends } of [service, manifest]) {
    for (const many of [ends.polled, ends.cutPolls, ends.cutStreams]) expect(many).toBeGreaterThan(0);
  }
});

it("watchers that are gone make room for others", async () => {
  const path = "/v1/services/crowded/watch?from=0";
  const token = ["Authorization", `Bearer ${tokens.viewer}`] as const;
  const ask = async () => (await gateway.admin(`${path}&waitSeconds=1`)).status;
  const watchers: Connection[] = [];
  const watch = async (query: string, headers: HeaderLines): Promise<Connection> => {
    const connection = await open(gateway.url);
    watchers.push(connection);
    await connection.send({ target: `/_sluice${path}${query}`, headers });
    return connection;
  };
  for (let n = 0; n < bounds.watchersMax / 2; n++) await watch("&waitSeconds=55", [token]);
  let status = 101;
  while (status === 101) status = (await (await watch("", upgradeHeaders([token]))).head()).status;
  expect(status).toBe(503);
  expect(watchers.length).toBe(bounds.watchersMax + 1);
  for (const connection of watchers) connection.reset();
  const askAll = async () => new Set(await Promise.all(Array.from({ length: bounds.watchersMax - 10 }, ask)));
  await expect.poll(askAll, { timeout: 10_000 }).toEqual(new Set([200]));
});

it.each(["/v1/watch", "/v1/services/users/watch"])(
  "a client that closes is answered, not left waiting: %s",
  async (path) => {
    for (const tell of [
      (wire: Wire) => sendFrame(wire, opcodes.close, closePayload(1001), true),
      async ({ socket }: Wire) => void socket.end(),
    ]) {
      const connection = await open(gateway.url);
      const headers = upgradeHeaders([["Authorization", `Bearer ${tokens.viewer}`]]);
      await connection.send({ target: `/_sluice${path}`, headers });
      expect((await connection.head()).status).toBe(101);
      await tell(connection.wire);
      // Unanswered it stays open until the object sleeps, ten seconds later.
      const frame = await Promise.race([readFrame(connection.wire), wait(5_000, null, { ref: false })]);
      expect(frame).toEqual({ opcode: opcodes.close, payload: closePayload(1000) });
      await connection.wire.closed();
      connection.close();
    }
  },
);

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});
