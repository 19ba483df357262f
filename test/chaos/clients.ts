/** Those who use a gateway at the same time, until it is killed under them. */
import { setTimeout as wait } from "node:timers/promises";
import { tokens } from "../support/gateway.ts";
import { briefMax, briefSeconds, briefService } from "./brief.ts";
import { limitNames } from "./limits.ts";
import { configOf, forced, orders, originIds, registered, type Stage } from "./stage.ts";

const [configWriters, visitors, leaseSeconds] = [2, 6, 300];
/** Share of the traffic that goes to the service of short leases. */
const briefShare = 0.1;
/**
 * Pause of a writer between two calls, in answers to traffic: a slow machine plays the same. Every isolate compiles every
 * configuration, so more of them would leave two cores no time for anything else.
 */
const pauseAnswers = { configWriter: [60, 180], writer: [5, 40], visitor: [0, 0] } as const;
const pauseMs = 3;

/** What the clients saw until the kill. */
export interface Played {
  /** Answers to traffic. */
  answers: number;
  /** Answers that no client may get from a gateway that runs. */
  readonly wrong: string[];
}

/** Answered, and how; null: the gateway was killed before. */
type Answered = { readonly status: number; readonly json: Record<string, unknown> } | null;

/** Plays until `killed`: to be called after the signal was sent. Resolves when nobody waits for an answer any more. */
export function play(stage: Stage): { readonly seen: Played; killed(): Promise<void> } {
  const seen: Played = { answers: 0, wrong: [] };
  let isKilled = false;
  const actor =
    (step: () => Promise<void>, [low, high]: readonly [number, number]) =>
    async () => {
      while (!isKilled) {
        await step();
        const until = seen.answers + stage.random.int(low, high);
        do await wait(pauseMs);
        while (seen.answers < until && !isKilled);
      }
    };
  const call: Call = async (method, path, body) => {
    const isolate = stage.random.int(0, stage.gateway.urls.length - 1);
    const token = path.startsWith("/v1/services/") ? tokens.registrar : tokens.admin;
    try {
      const init = { method, isolate, token, ...(body !== undefined && { body: JSON.stringify(body) }) };
      const response = await stage.gateway.admin(path, init);
      const text = await response.text();
      if (!response.ok) seen.wrong.push(`${method} ${path}: ${response.status} ${text}`);
      return { status: response.status, json: text === "" ? {} : JSON.parse(text) };
    } catch (error) {
      if (!isKilled) seen.wrong.push(`${method} ${path}: ${String(error)}`);
      return null;
    }
  };
  const actors = [
    ...Array.from({ length: configWriters }, () => actor(() => configure(stage, call), pauseAnswers.configWriter)),
    ...registered.flatMap((service) =>
      originIds.map((id) => actor(() => register(stage, call, service, id), pauseAnswers.writer)),
    ),
    actor(() => registerBrief(stage, call), pauseAnswers.writer),
    ...forced.map((service) => actor(() => order(stage, call, service), pauseAnswers.writer)),
    ...Array.from({ length: visitors }, () => actor(() => visit(stage, seen, () => isKilled), pauseAnswers.visitor)),
  ];
  const ended = Promise.all(actors.map((act) => act()));
  return {
    seen,
    async killed() {
      isKilled = true;
      await ended;
    },
  };
}

type Call = (method: string, path: string, body?: unknown) => Promise<Answered>;

const isAccepted = (answered: Answered): answered is Exclude<Answered, null> =>
  answered !== null && answered.status < 300;

async function configure({ books, origin, next }: Stage, call: Call): Promise<void> {
  const number = next();
  books.config.begin("config", number);
  const answered = await call("PUT", "/v1/config", configOf(origin.url, number));
  if (!isAccepted(answered)) return;
  const revision = Number(answered.json.revision);
  books.config.acknowledge("config", { value: number, revision });
  books.revisions.set(revision, number);
}

/** Registers, renews, registers again or ends a lease. */
async function register({ books, origin, random, next }: Stage, call: Call, service: string, id: string) {
  const name = `${service}/${id}`;
  const path = `/v1/services/${service}/origins/${id}`;
  const leaseId = books.leases.get(name);
  const { value, revision } = books.origins.entry(name);
  if (leaseId !== undefined && random.chance(0.4)) return void (await call("POST", `${path}/heartbeat`, { leaseId }));
  if (value !== "" && random.chance(0.4)) {
    books.origins.begin(name, "");
    books.leases.delete(name);
    // A removal tells no revision.
    if (isAccepted(await call("DELETE", path))) books.origins.acknowledge(name, { value: "", revision });
    return;
  }
  const url = `${origin.url}/as/${name}/${next()}`;
  books.origins.begin(name, url);
  const answered = await call("PUT", path, { url, ttlSeconds: leaseSeconds });
  if (!isAccepted(answered)) return void books.leases.delete(name);
  books.origins.acknowledge(name, { value: url, revision: Number(answered.json.revision) });
  books.leases.set(name, String(answered.json.leaseId));
}

/** Registers under an id that is new and never renews it. */
async function registerBrief({ books, origin, next }: Stage, call: Call): Promise<void> {
  if (books.brief.alive(Date.now()) >= briefMax) return;
  const id = `b${next()}`;
  books.brief.begin(id);
  const body = { url: `${origin.url}/as/${briefService}/${id}`, ttlSeconds: briefSeconds };
  const answered = await call("PUT", `/v1/services/${briefService}/origins/${id}`, body);
  if (isAccepted(answered)) books.brief.acknowledge(id, String(answered.json.expiresAt));
}

async function order({ books, random }: Stage, call: Call, service: string): Promise<void> {
  const now = books.orders.entry(service).value;
  const others = orders.filter((state) => state !== now);
  const state = others[random.int(0, others.length - 1)]!;
  books.orders.begin(service, state);
  const answered = await call("PUT", `/v1/breakers/${service}`, { state });
  if (isAccepted(answered)) {
    books.orders.acknowledge(service, { value: state, revision: Number(answered.json.revision) });
  }
}

/** One request under a limit, most often as the newest client: old quotas are used up, and must stay so. */
async function visit({ gateway, random, clients }: Stage, seen: Played, isKilled: () => boolean): Promise<void> {
  const name = random.chance(briefShare) ? briefService : limitNames[random.int(0, limitNames.length - 1)]!;
  const client = clients[random.chance(0.8) ? clients.length - 1 : random.int(0, clients.length - 1)]!;
  const url = gateway.urls[random.int(0, gateway.urls.length - 1)]!;
  try {
    const response = await fetch(`${url}/${name}`, { headers: { "x-client": client } });
    await response.arrayBuffer();
    const [status, code] = [response.status, response.headers.get("sluice-error")];
    seen.answers++;
    const isWrong = name === briefService ? status !== 200 && code !== "no_origin" : status !== 200 && status !== 429;
    if (isWrong) seen.wrong.push(`GET /${name}: ${status} ${code}`);
  } catch (error) {
    if (!isKilled()) seen.wrong.push(`GET /${name}: ${String(error)}`);
  }
}
