/** A gateway that is fuzzed: connections that are kept, what it has stored, and how that becomes the standard again. */
import { type Connection, open, type Received } from "../../support/client.ts";
import { type Gateway, tokens } from "../../support/gateway.ts";
import type { Answer, Exchange } from "./admin-answers.ts";
import type { AdminCall } from "./admin-calls.ts";
import { fuzzedOrigins, standardConfig } from "./admin-calls.ts";
import type { Documents, State } from "./admin-state.ts";
import { type Body, readingOf } from "./bodies.ts";
import { cpuSecondsOf, workerdPid } from "./runtime.ts";

/** Calls under way at once. */
const socketsMax = 6;

type Members = Record<string, unknown>;

export class AdminClient {
  readonly gateway: Gateway;
  readonly #pid = workerdPid();
  readonly #free: Connection[] = [];
  /** Connections that ended and were opened anew. */
  lost = 0;

  constructor(gateway: Gateway) {
    this.gateway = gateway;
  }

  /** CPU of the gateway's process so far, in seconds. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.#pid);
  }

  /** Makes one call with each body, some at once; the answers in their order. */
  async exchange(call: AdminCall, bodies: readonly Body[]): Promise<Exchange[]> {
    const exchanges: Exchange[] = [];
    let next = 0;
    const work = async () => {
      for (let at = next++; at < bodies.length; at = next++) {
        const target = call.targets[at % call.targets.length]!;
        const body = bodies[at]!;
        const answer = await this.#ask(call.method, target, body.bytes);
        exchanges[at] = { call, target, body, reading: readingOf(body), answer };
      }
    };
    await Promise.all(Array.from({ length: socketsMax }, work));
    return exchanges;
  }

  /** One call; null when the connection ends without an answer. One that was kept may have ended since: then a new one. */
  async #ask(method: string, target: string, body?: Buffer): Promise<Answer | null> {
    const kept = this.#free.pop();
    const answer = kept && (await this.#askOn(kept, method, target, body));
    return answer ?? this.#askOn(await open(this.gateway.url), method, target, body);
  }

  async #askOn(connection: Connection, method: string, target: string, body?: Buffer): Promise<Answer | null> {
    const headers = [
      ["Host", "gateway.test"],
      ["Authorization", `Bearer ${tokens.admin}`],
    ] as const;
    try {
      const sent = { method, target, headers, ...(body && { body }) };
      const [received] = await Promise.all([connection.receive(method), connection.send(sent)]);
      if (connection.wire.ended) this.lost++;
      else this.#free.push(connection);
      return answerOf(received);
    } catch {
      this.lost++;
      connection.close();
      return null;
    } finally {
      // It would keep all that it ever received.
      connection.wire.log.length = 0;
    }
  }

  /** An answer that has to come, with the status. */
  async #read(target: string): Promise<{ readonly json: Members; readonly answer: Answer }> {
    const answer = await this.#ask("GET", `/_sluice${target}`);
    if (answer?.status !== 200) throw new Error(`GET ${target}: ${answer?.status} ${answer?.text}`);
    return { json: JSON.parse(answer.text) as Members, answer };
  }

  async state(): Promise<State> {
    const config = await this.#read("/v1/config");
    const service = (await this.#ask("GET", "/_sluice/v1/services/users"))!;
    const described = JSON.parse(service.text) as { readonly revision?: number; readonly origins?: readonly Members[] };
    const breakers = JSON.parse((await this.#ask("GET", "/_sluice/v1/breakers/users"))!.text) as Members;
    // What the configuration lists is its own.
    const leased = (described.origins ?? []).filter((origin) => origin.static === false);
    const versions = (breakers.breakers ?? []) as readonly Members[];
    return {
      revision: Number(config.answer.headers.get("etag")?.slice(1, -1)),
      text: config.answer.text,
      registry: {
        revision: described.revision ?? null,
        origins: Object.fromEntries(leased.map((origin) => [origin.id, shownOrigin(origin)])),
      },
      orders: Object.fromEntries([["*", breakers.forced], ...versions.map(({ version, forced }) => [version, forced])]),
    };
  }

  /** The documents of the revisions that exchanges answered, and of those before them. */
  async documents(exchanges: readonly Exchange[]): Promise<Documents> {
    const wanted = exchanges.flatMap(({ answer, target, call, reading }) => {
      if (answer?.status !== 200 || target.includes("dryRun")) return [];
      const { revision } = JSON.parse(answer.text) as { revision: number };
      const named =
        call.name.endsWith("rollback") && "value" in reading ? [(reading.value as { revision: number }).revision] : [];
      return [revision - 1, revision, ...named];
    });
    const documents = new Map<number, unknown>([[0, {}]]);
    for (const revision of new Set(wanted)) {
      if (revision > 0) documents.set(revision, (await this.#read(`/v1/config/revisions/${revision}`)).json.document);
    }
    return documents;
  }

  /** Puts everything back that calls may have changed, renews the lease, and gives each fuzzed origin if `withOrigins`. */
  async restore(state: State, leaseId: string, withOrigins = false): Promise<void> {
    const { gateway } = this;
    if (state.text !== JSON.stringify(standardConfig)) await gateway.put(standardConfig);
    const gone = Object.keys(state.registry.origins).filter((id) => id !== "kept");
    for (const id of gone) await this.#done("DELETE", `/v1/services/users/origins/${id}`);
    if (Object.values(state.orders).some((order) => order !== "auto"))
      await this.#done("PUT", "/v1/breakers/users", { state: "auto" });
    await this.#done("POST", "/v1/services/users/origins/kept/heartbeat", { leaseId });
    const url = "http://192.0.2.8";
    for (const id of withOrigins ? fuzzedOrigins : []) await gateway.register("users", id, { url, ttlSeconds: 300 });
  }

  async #done(method: string, target: string, body?: unknown): Promise<void> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const answer = await this.#ask(method, `/_sluice${target}`, bytes);
    if (answer === null || answer.status >= 300)
      throw new Error(`${method} ${target}: ${answer?.status} ${answer?.text}`);
  }

  /** What an ordinary request is answered, without what differs each time. */
  async ordinary(): Promise<string> {
    const answers = [await this.#ask("GET", "/old?a=1"), await this.#ask("GET", "/_sluice/v1/services/none")];
    return JSON.stringify(
      answers.map((answer) => [answer?.status, ...(answer?.headers ?? [])].filter((one) => !isOfItself(one))),
    ).concat(...answers.map((answer) => answer?.text.replace(/[0-9a-f-]{36}/, "") ?? ""));
  }

  async stop(): Promise<void> {
    for (const connection of this.#free) connection.close();
    await this.gateway.dispose();
  }
}

const isOfItself = (header: unknown) => Array.isArray(header) && (header[0] === "x-request-id" || header[0] === "date");

function answerOf({ status, headers, body, complete }: Received): Answer | null {
  const named = new Map(headers.map(([name, value]) => [name.toLowerCase(), value]));
  return complete ? { status, headers: named, text: body.toString() } : null;
}

function shownOrigin({ url, version, weight, zone, state, metadata = {} }: Members): Members {
  return { url, version, weight, zone, state, metadata };
}
