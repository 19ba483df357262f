/** A gateway that is fuzzed: how it is asked, what it has stored, and how that becomes the standard again. */
import type { Gateway } from "../../support/gateway.ts";
import type { Answer, Exchange } from "./admin-answers.ts";
import { type AdminCall, fuzzedOrigins, standardConfig } from "./admin-calls.ts";
import type { Documents, State } from "./admin-state.ts";
import { type Asked, askAll, sending } from "./admin-wire.ts";
import { type Body, readingOf } from "./bodies.ts";
import { cpuSecondsOf, workerdPid } from "./runtime.ts";

type Members = Record<string, unknown>;

export class AdminClient {
  readonly gateway: Gateway;
  readonly #port: number;
  readonly #pid = workerdPid();

  constructor(gateway: Gateway) {
    this.gateway = gateway;
    this.#port = Number(new URL(gateway.url).port);
  }

  /** CPU of the gateway's process so far, in seconds. */
  cpuSeconds(): number {
    return cpuSecondsOf(this.#pid);
  }

  /** Makes one call with each body, many at once; the answers in their order. */
  async exchange(call: AdminCall, bodies: readonly Body[]): Promise<Exchange[]> {
    const targetOf = (at: number) => call.targets[at % call.targets.length]!;
    const { method } = call;
    const answers = await askAll(
      this.#port,
      bodies.map(({ bytes }, at) => ({ method, target: targetOf(at), body: bytes })),
    );
    return bodies.map((body, at) => {
      return { call, target: targetOf(at), body, reading: readingOf(body), answer: answers[at]! };
    });
  }

  /** The answers of GETs, and what they say. */
  async #read(targets: readonly string[]): Promise<{ readonly answer: Answer; readonly json: Members }[]> {
    const answers = await askAll(
      this.#port,
      targets.map((target) => ({ method: "GET", target: `/_sluice${target}` })),
    );
    return answers.map((answer, at) => {
      if (answer === null || answer.status >= 500) throw new Error(`GET ${targets[at]}: ${answer?.text}`);
      return { answer, json: JSON.parse(answer.text) as Members };
    });
  }

  async state(): Promise<State> {
    const targets = ["/v1/config", "/v1/services/users", "/v1/breakers/users"];
    const [config, service, breakers] = await this.#read(targets);
    // What the configuration lists is its own.
    const origins = ((service!.json.origins ?? []) as Members[]).filter((origin) => origin.static === false);
    const versions = (breakers!.json.breakers ?? []) as Members[];
    return {
      revision: Number(config!.answer.headers.get("etag")?.slice(1, -1)),
      text: config!.answer.text,
      registry: {
        revision: (service!.json.revision as number | undefined) ?? null,
        origins: Object.fromEntries(origins.map((origin) => [origin.id, shownOrigin(origin)])),
      },
      orders: Object.fromEntries([
        ["*", breakers!.json.forced],
        ...versions.map(({ version, forced }) => [version, forced]),
      ]),
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
    const revisions = [...new Set(wanted)].filter((revision) => revision > 0);
    const read = await this.#read(revisions.map((revision) => `/v1/config/revisions/${revision}`));
    return new Map([[0, {}], ...read.map(({ json }, at) => [revisions[at]!, json.document] as const)]);
  }

  /** Puts everything back that calls may have changed, renews the lease, and gives each fuzzed origin if `withOrigins`. */
  async restore(state: State, leaseId: string, withOrigins = false): Promise<void> {
    if (state.text !== JSON.stringify(standardConfig)) await this.gateway.put(standardConfig);
    const users = "/_sluice/v1/services/users/origins";
    const gone = Object.keys(state.registry.origins).filter((id) => id !== "kept");
    const isOrdered = Object.values(state.orders).some((order) => order !== "auto");
    await this.#done([
      ...gone.map((id) => ({ method: "DELETE", target: `${users}/${id}` })),
      ...(isOrdered ? [sending("PUT", "/_sluice/v1/breakers/users", { state: "auto" })] : []),
      sending("POST", `${users}/kept/heartbeat`, { leaseId }),
    ]);
    const origin = { url: "http://192.0.2.8", ttlSeconds: 300 };
    await this.#done((withOrigins ? fuzzedOrigins : []).map((id) => sending("PUT", `${users}/${id}`, origin)));
  }

  async #done(asked: readonly Asked[]): Promise<void> {
    for (const [at, answer] of (await askAll(this.#port, asked)).entries())
      if (answer === null || answer.status >= 300) throw new Error(`${asked[at]!.target}: ${answer?.text}`);
  }

  /** What an ordinary request is answered, without what differs each time. */
  async ordinary(): Promise<string> {
    const targets = ["/old?a=1", "/_sluice/v1/services/none"];
    const answers = await askAll(
      this.#port,
      targets.map((target) => ({ method: "GET", target })),
    );
    return JSON.stringify(
      answers.map((answer) => [
        answer?.status,
        ...[...(answer?.headers ?? [])].filter(([name]) => name !== "x-request-id" && name !== "date"),
        answer?.text.replace(/[0-9a-f-]{36}/, ""),
      ]),
    );
  }
}

function shownOrigin({ url, version, weight, zone, state, metadata = {} }: Members): Members {
  return { url, version, weight, zone, state, metadata };
}
