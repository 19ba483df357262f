/** The deployed Worker in a real workerd, with one isolate or several, reached over the isolate's own socket. */
import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { bundlePath, projectDir } from "./bundle.ts";
import { type HealthProxy, healthProxyAt, healthProxyName, healthProxyOptions } from "./health-proxy.ts";
import { type LimiterProxy, limiterProxyAt, limiterProxyName, limiterProxyOptions } from "./limiter-proxy.ts";
import { tokens } from "./tokens.ts";
import { uncaughtIn, watchedModules } from "./uncaught.ts";

export { tokens };

export interface GatewayOptions {
  /** The first configuration; left out: none. */
  readonly config?: unknown;
  /** Variables and secrets beside the tokens; undefined takes one away. */
  readonly vars?: Readonly<Record<string, string | undefined>>;
  /** How many isolates serve the same gateway, on the same objects. Default 1. */
  readonly isolates?: number;
  /** Where the objects' storage outlives the gateway; left out: nowhere. */
  readonly persist?: string;
  /** Isolates reach rate limiters through a Worker that counts the calls and fails them when told. Default false. */
  readonly limiterProxy?: boolean;
  /** Isolates reach health objects through a Worker that counts the reports and fails them when told. Default false. */
  readonly healthProxy?: boolean;
  /** workerd's inspector listens. Default false. */
  readonly inspected?: boolean;
}

/** A running gateway. */
export interface Gateway {
  /** The first isolate; no "/" at the end. */
  readonly url: string;
  /** Every isolate. */
  readonly urls: readonly string[];
  /** Where the admin API is: `<url>/_sluice`. */
  readonly adminUrl: string;
  /** One call to the admin API, by the first isolate and with the admin token unless `init` says otherwise. */
  admin(path: string, init?: RequestInit & { readonly token?: string; readonly isolate?: number }): Promise<Response>;
  /** Makes `config` the one in force and waits until every isolate uses it. Its revision. */
  put(config: unknown): Promise<number>;
  /** Registers an origin as an origin would. Throws unless that is accepted. */
  register(service: string, origin: string, body: { readonly url: string } & Record<string, unknown>): Promise<Lease>;
  /** What `limiterProxy` put in between; throws without. */
  readonly limiters: LimiterProxy;
  /** What `healthProxy` put in between; throws without. */
  readonly health: HealthProxy;
  /** Lines that workerd has logged. */
  readonly logs: readonly LogLine[];
  /** Exceptions and rejections that nobody caught, by workerd's log. A test should find none. */
  uncaught(): string[];
  /** Where workerd's inspector listens; rejects without `inspected`. */
  inspectorUrl(): Promise<URL>;
  dispose(): Promise<void>;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
}

export interface Lease {
  readonly leaseId: string;
  readonly ttlSeconds: number;
  readonly heartbeatSeconds: number;
  readonly revision: number;
}

/** Starts a gateway. Needs nothing but workerd: no network, no account. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const logs: LogLine[] = [];
  const names = Array.from({ length: options.isolates ?? 1 }, (_, index) => `sluice-${index + 1}`);
  const script = await readFile(await bundlePath(), "utf8");
  const { vars = {}, limiterProxy = false, healthProxy = false } = options;
  const proxied: Proxied = {
    ...(limiterProxy && { RATE_LIMITER: limiterProxyName }),
    ...(healthProxy && { SERVICE_HEALTH: healthProxyName }),
  };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      ...(options.inspected === true && { inspectorPort: 0 }),
      ...(options.persist !== undefined && { resourcePersistencePath: options.persist }),
      handleStructuredLogs: ({ level, message }) => logs.push({ level, message }),
      workers: [
        ...names.map((name) => workerOptions(name, names[0]!, script, vars, proxied)),
        ...(limiterProxy ? [limiterProxyOptions(names[0]!)] : []),
        ...(healthProxy ? [healthProxyOptions(names[0]!)] : []),
      ],
    }),
  );
  await miniflare.ready;
  const urlOf = async (name: string) => (await miniflare.unsafeGetDirectURL(name)).origin;
  const urls = await Promise.all(names.map(urlOf));
  const proxies = {
    limiters: limiterProxy ? limiterProxyAt(await urlOf(limiterProxyName)) : null,
    health: healthProxy ? healthProxyAt(await urlOf(healthProxyName)) : null,
  };
  const gateway = gatewayAt(urls, logs, proxies, miniflare);
  if (options.config === undefined) return gateway;
  try {
    await gateway.put(options.config);
    return gateway;
  } catch (error) {
    await gateway.dispose();
    throw error;
  }
}

/** The Worker that stands in for a binding's class, by binding. */
type Proxied = Readonly<Record<string, string>>;

/** Everything that wrangler.toml says; the objects are those of the Worker `first`. */
function workerOptions(
  name: string,
  first: string,
  script: string,
  vars: Readonly<Record<string, unknown>>,
  proxied: Proxied,
) {
  const { workerOptions: fromToml } = unstable_getMiniflareWorkerOptions(`${projectDir}/wrangler.toml`);
  const { modulesRules: _, ...rest } = fromToml;
  const objects = Object.entries(fromToml.durableObjects ?? {}).flatMap(([binding, designator]) => {
    const ownedBy = (owner: string) => ({ ...(designator as object), ...(name !== owner && { scriptName: owner }) });
    const proxy = proxied[binding];
    if (proxy === undefined) return [[binding, ownedBy(first)]];
    // A class has a namespace only where a binding names it.
    return [[binding, ownedBy(proxy)], ...(name === first ? [[`PROXIED_${binding}`, ownedBy(first)]] : [])];
  });
  const given = {
    ADMIN_TOKEN: tokens.admin,
    REGISTRAR_TOKEN: tokens.registrar,
    VIEWER_TOKEN: tokens.viewer,
    ALLOW_PRIVATE_ORIGINS: "true",
    ...vars,
  };
  return {
    ...rest,
    name,
    modules: watchedModules(script),
    durableObjects: Object.fromEntries(objects),
    bindings: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    // The entry of Miniflare rewrites URLs and headers; a Worker's own socket does not.
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    // Else every outgoing request loses a header and gains one.
    stripCfConnectingIp: false,
  };
}

function gatewayAt(
  urls: readonly string[],
  logs: readonly LogLine[],
  proxies: { readonly limiters: LimiterProxy | null; readonly health: HealthProxy | null },
  miniflare: Pick<Miniflare, "dispose" | "getInspectorURL">,
): Gateway {
  const [url = ""] = urls;
  const admin: Gateway["admin"] = (path, { token = tokens.admin, isolate = 0, ...init } = {}) =>
    fetch(`${urls[isolate]}/_sluice${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    });
  return {
    url,
    urls,
    adminUrl: `${url}/_sluice`,
    admin,
    logs,
    get limiters() {
      if (proxies.limiters === null) throw new Error("started without limiterProxy");
      return proxies.limiters;
    },
    get health() {
      if (proxies.health === null) throw new Error("started without healthProxy");
      return proxies.health;
    },
    async put(config) {
      const { revision } = await accepted<{ revision: number }>(
        await admin("/v1/config", { method: "PUT", body: JSON.stringify(config) }),
      );
      await Promise.all(urls.map((_, isolate) => follows(admin, isolate, revision)));
      return revision;
    },
    async register(service, origin, body) {
      const init = { method: "PUT", body: JSON.stringify(body), token: tokens.registrar };
      return accepted<Lease>(await admin(`/v1/services/${service}/origins/${origin}`, init));
    },
    uncaught: () => uncaughtIn(logs.map(({ message }) => message)),
    inspectorUrl: () => miniflare.getInspectorURL(),
    dispose: () => miniflare.dispose(),
  };
}

async function accepted<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** An isolate learns of a change when it next asks, which its health call makes it do. */
async function follows(admin: Gateway["admin"], isolate: number, revision: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const response = await admin("/health", { isolate });
    const { configRevision } = (await response.json()) as { configRevision: number };
    if (configRevision >= revision) return;
    await wait(50);
  }
  throw new Error(`isolate ${isolate} does not follow revision ${revision}`);
}
