/** The gateway as a process of its own, by `wrangler dev`, so that it can be killed. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { projectDir } from "./bundle.ts";
import { tokens } from "./tokens.ts";

export interface DevGateway {
  readonly url: string;
  /** A call of the admin API with the admin token, and its JSON answer. Throws unless it is accepted. */
  admin<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Ends wrangler and workerd with SIGKILL: no chance to store anything. */
  kill(): Promise<void>;
}

/**
 * Starts a gateway whose state is in `persistTo`; ready when it answers. Variables: the tests', or those of a file. `dir`:
 * the project's root; another one is another version of it.
 */
export async function startWranglerDev(persistTo: string, envFile?: string, dir = projectDir): Promise<DevGateway> {
  const port = await freePort();
  const args = ["dev", "--ip", "127.0.0.1", "--port", `${port}`, "--inspector-port", "0", "--persist-to", persistTo];
  const vars = { ADMIN_TOKEN: tokens.admin, REGISTRAR_TOKEN: tokens.registrar, ALLOW_PRIVATE_ORIGINS: "true" };
  if (envFile) args.push("--env-file", envFile);
  else for (const [name, value] of Object.entries(vars)) args.push("--var", `${name}:${value}`);
  args.push("--show-interactive-dev-session=false", "--log-level", "error");
  const child = spawn(process.execPath, [join(projectDir, "node_modules/wrangler/bin/wrangler.js"), ...args], {
    cwd: dir,
    env: { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false" },
    stdio: ["ignore", "ignore", "inherit"],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const kill = async () => {
    // The group: workerd is wrangler's child.
    process.kill(-child.pid!, "SIGKILL");
    await ended;
  };
  const url = `http://127.0.0.1:${port}`;
  const endMs = Date.now() + 40_000;
  while (Date.now() < endMs) {
    const answered = await fetch(`${url}/_sluice/health`).catch(() => null);
    if (answered) return { url, kill, admin: (...call) => admin(url, ...call) };
    await wait(100);
  }
  await kill();
  throw new Error("wrangler dev did not answer");
}

async function admin<T>(url: string, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${url}/_sluice${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.admin}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
