/**
 * `npm start`: a gateway on this machine with three origins of one service in two versions, to try things with.
 * Ctrl-C ends all of it.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Options, readOptions, readVariables, root, type Variables } from "./start/options.ts";
import { type Child, startNode, until } from "./start/processes.ts";
import { showRequests } from "./start/requests.ts";

const host = "127.0.0.1";
const origins = [
  { id: "users-v1-a", version: "v1" },
  { id: "users-v1-b", version: "v1" },
  { id: "users-v2-a", version: "v2" },
];

/** Why everything stops when the user wants it to. */
const interrupted = Symbol("interrupted");
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  // npm passes a signal on that the terminal has already sent: only the first counts.
  process.on(signal, () => stopping.abort(interrupted));
}

const children: Child[] = [];
try {
  await run(readOptions(), readVariables());
} catch (error) {
  const reason: unknown = stopping.signal.aborted ? stopping.signal.reason : error;
  if (reason !== interrupted) {
    console.error(`\nnpm start: ${reason instanceof Error ? reason.message : reason}`);
    process.exitCode = 1;
  }
  stopping.abort(reason);
}
await stopAll();

/** Starts everything, shows the requests and waits for the end, which is always a throw. */
async function run({ port, persistTo }: Options, variables: Variables): Promise<never> {
  const { signal } = stopping;
  const gateway = `http://${host}:${port}`;
  await refuseUsedPort(port);
  console.log("Starting the gateway ...");
  startGateway(port, persistTo, variables.file);
  await until("the gateway did not answer", 60_000, signal, async (timeout) => {
    const { status } = await fetch(`${gateway}/_sluice/health`, { signal: timeout });
    return status === 200 || status === 503;
  });
  await applyConfig(gateway, variables.adminToken);
  for (const { id, version } of origins) startOrigin(id, version, gateway, variables.registrarToken);
  await until("the origins were not ready", 20_000, signal, (timeout) =>
    allReady(gateway, variables.viewerToken, timeout),
  );
  await until("the origins got no requests", 10_000, signal, (timeout) => allAnswer(gateway, timeout));
  console.log(`\nThe gateway is at ${gateway}, the description of its API at ${gateway}/_sluice/docs\n`);
  await showRequests(gateway, variables.viewerToken, signal);
  console.log("Ctrl-C ends the gateway and the origins.");
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

/** wrangler says little of a used port, and on one of another gateway every check would seem to succeed. */
function refuseUsedPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const used = `port ${port} is in use; choose another one: npm start -- --port ${port === 65_535 ? port - 1 : port + 1}`;
      reject(new Error(error.code === "EADDRINUSE" ? used : error.message));
    });
    server.listen(port, host, () => server.close(() => resolve()));
  });
}

function start(name: string, args: readonly string[], env: Record<string, string>): void {
  stopping.signal.throwIfAborted();
  const child = startNode(name, args, root, env);
  children.push(child);
  child.ended.then((how) => stopping.abort(new Error(`${name} ended unexpectedly (${how})`)));
}

function startGateway(port: number, persistTo: string, variablesFile: Variables["file"]): void {
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const args = ["dev", "--ip", host, "--port", `${port}`, "--inspector-port", "0", "--persist-to", persistTo];
  args.push("--show-interactive-dev-session=false", "--log-level", "warn");
  // `.dev.vars` is read without being named, and not if another file is.
  if (variablesFile !== ".dev.vars") args.push("--env-file", variablesFile);
  start("the gateway", [wrangler, ...args], {
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_SEND_METRICS: "false",
  });
}

function startOrigin(id: string, version: string, gateway: string, token: string): void {
  start(`origin ${id}`, [join(root, "examples/origin-node/server.mjs")], {
    PORT: "0",
    SERVICE: "users",
    VERSION: version,
    ORIGIN_ID: id,
    SLUICE_URL: gateway,
    SLUICE_TOKEN: token,
  });
}

async function applyConfig(gateway: string, token: string): Promise<void> {
  const response = await fetch(`${gateway}/_sluice/v1/config?note=npm%20start`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: readFileSync(join(root, "examples/canary/sluice.json")),
    signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(10_000)]),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`the gateway refused examples/canary/sluice.json: ${answer}`);
}

async function allReady(gateway: string, token: string, signal: AbortSignal): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${gateway}/_sluice/v1/services/users`, { headers, signal });
  if (!response.ok) throw new Error(await response.text());
  const listed = (await response.json()) as { origins: { id: string; state: string }[] };
  const ready = new Set(listed.origins.filter(({ state }) => state === "ready").map(({ id }) => id));
  return origins.every(({ id }) => ready.has(id));
}

/** A ready origin gets requests from the next snapshot on. */
async function allAnswer(gateway: string, signal: AbortSignal): Promise<boolean> {
  for (const version of ["v1", "v2"]) {
    const response = await fetch(`${gateway}/api/users/42`, { headers: { "api-version": version }, signal });
    if (!response.ok) throw new Error(await response.text());
    await response.body?.cancel();
  }
  return true;
}

/** The origins first, since they deregister at the gateway. */
async function stopAll(): Promise<void> {
  if (children.length > 0) console.log("\nStopping ...");
  const [gateway, ...others] = children;
  await Promise.all(others.map((child) => child.stop()));
  await gateway?.stop();
}
