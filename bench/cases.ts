/** What is measured: the gateway's cases and the peers. */
import { fullConfig, minimalConfig, originsConfig, pathOfRoute, routesConfig } from "./configs.ts";
import type { Load, LoadRequest } from "./measure/wrk.ts";

/** What the gateway is configured with; cases of one setup share a process. */
export const setups = {
  minimal: minimalConfig,
  full: (origin: string) => fullConfig(origin),
  /** Of its own, because so many objects would weigh on the other cases. */
  keys: (origin: string) => fullConfig(origin),
  debug: (origin: string) => fullConfig(origin, true),
  "routes-10": (origin: string) => routesConfig(10, origin),
  "routes-1000": (origin: string) => routesConfig(1_000, origin),
  "routes-10000": (origin: string) => routesConfig(10_000, origin),
  "origins-1": (origin: string) => originsConfig(1, origin),
  "origins-1000": (origin: string) => originsConfig(1_000, origin),
} as const;
export type Setup = keyof typeof setups;

export const peers = ["hono-proxy", "naive", "nginx", "nginx-limit"] as const;
export type Peer = (typeof peers)[number];

export interface Case {
  readonly name: string;
  readonly what: string;
  readonly target: { readonly setup: Setup } | { readonly peer: Peer };
  readonly load: Load;
  /** What BARE is asked in the rounds of the case: the same method and body. */
  readonly bareLoad: Load;
  /** Time after which the isolate has seen what it will see. */
  readonly warmUpSeconds: number;
  /** Length of its runs when they are made before those of other cases, in processes of their own; null: as long as all. */
  readonly apartSeconds: number | null;
  /** Every request is refused, and should be. */
  readonly isRefused: boolean;
}

/** Enough for V8 to optimize what is hot: for so long its compilers are seen at work. */
export const warmUpSeconds = 10;
/** Where one run lasts for minutes, fewer tell as much. */
export const apartRoundsMax = 3;
/** What is compared with a run of minutes is not to be one of a few seconds. */
export const besideApartSeconds = 30;
const keysTimes = {
  // Enough for each of 10,000 keys to have its object, which is slow and happens once, and a lease for what it is asked now: the
  // third one is, and those before are asked for while all wait for the objects.
  warmUpSeconds: 200,
  // A lease: in any such time each key makes its call, while in a shorter one all or none might.
  apartSeconds: 300,
};

/** What a browser sends behind Cloudflare's edge: what a proxy costs goes by the number of headers. */
const usualHeaders = {
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
  accept: "text/html,application/json;q=0.9,*/*;q=0.8",
  "accept-encoding": "gzip, deflate, br",
  "accept-language": "en-GB,en;q=0.8",
  referer: "https://www.example.com/shop/item/17",
  cookie: "session=0123456789abcdef0123456789abcdef; theme=dark",
  "cf-connecting-ip": "203.0.113.7",
  "x-user-id": "user-1",
};

const request = (path: string, more: Partial<LoadRequest> = {}): LoadRequest => ({
  method: "GET",
  path,
  bodyBytes: 0,
  ...more,
  headers: { ...usualHeaders, ...more.headers },
});
const get = (path: string, headers = {}): Load => ({ requests: [request(path, { headers })] });
const post = (path: string, bodyBytes: number): Load => ({ requests: [request(path, { method: "POST", bodyBytes })] });

const bare = get("/bare");
const bareKib = post("/upload/bare", 1_024);
const bareLarge = post("/upload/bare", 262_144);
const byClient = Array.from({ length: 10_000 }, (_, index) =>
  request("/keys", { headers: { "x-client-id": `client-${index}` } }),
);
const routes = (count: number): Load => ({
  requests: Array.from({ length: count }, (_, index) => request(pathOfRoute(index))),
});

const usual = { bareLoad: bare, warmUpSeconds, apartSeconds: null, isRefused: false };

function ours(name: string, setup: Setup, what: string, load: Load, more: Partial<Case> = {}): Case {
  return { ...usual, name, what, target: { setup }, load, ...more };
}

function peer(name: Peer, what: string): Case {
  return { ...usual, name, what, target: { peer: name }, load: get("/peer") };
}

/** The case that everything is about. */
export const plainCase = ours(
  "plain",
  "full",
  "version rules, sticky split, balancing, breaker, outliers, retries",
  get("/plain"),
);

/** In the order in which they are measured: those that are compared stand together, so that a round has them one soon after the other. */
export const cases: readonly Case[] = [
  ours("key", "full", "`limited`, between the runs of `keys`", get("/limited"), { apartSeconds: besideApartSeconds }),
  ours("keys", "keys", "the same, 10,000 keys, leases of five minutes", { requests: byClient }, keysTimes),
  ours("minimal", "minimal", "one route, one origin, nothing else", get("/minimal")),
  plainCase,
  peer("hono-proxy", "`hono/proxy` alone"),
  ours("limited", "full", "plain + leased limit with headers, one hot key", get("/limited")),
  ours("keys-new", "keys", "the same, each request has a new key", get("/keys", { "x-client-id": "client-{new}" })),
  ours("denied", "full", "plain, refused by the limiter", get("/denied"), { isRefused: true }),
  ours("debug", "debug", "plain + debug headers", get("/plain")),
  ours("post-1k", "full", "plain, POST of 1 KiB", post("/upload", 1_024), { bareLoad: bareKib }),
  ours("post-256k", "full", "plain, POST of 256 KiB", post("/upload", 262_144), { bareLoad: bareLarge }),
  ours("routes-10", "routes-10", "plain, 10 routes in turn", routes(10)),
  ours("routes-1000", "routes-1000", "plain, 1,000 routes in turn", routes(1_000)),
  ours("routes-10000", "routes-10000", "plain, 10,000 routes in turn", routes(10_000)),
  ours("origins-1", "origins-1", "one origin", get("/origins")),
  ours("origins-1000", "origins-1000", "1,000 origins in one service", get("/origins")),
  peer("naive", "Hono, one object call and one row per request"),
  peer("nginx", "nginx `proxy_pass`"),
  peer("nginx-limit", "nginx `proxy_pass` + `limit_req`"),
];
