/** Workers as wrangler bundles them. The gateway is built as `npm run deploy` would. */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { unstable_readConfig } from "wrangler";
import { tempDir } from "./process.ts";

/** Root of the repository. */
export const root = join(import.meta.dirname, "../..");

/** What wrangler.toml says of the runtime and of the gateway's objects. */
export const settings = unstable_readConfig({ config: join(root, "wrangler.toml") }, { hideWarnings: true });

/** Options of the project's own `deploy`, so that what is measured is what is deployed. */
const deployOptions = deployScript().slice(2);

function deployScript(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: { deploy: string } };
  const words = scripts.deploy.split(" ");
  if (words[0] !== "wrangler" || words[1] !== "deploy")
    throw new Error(`deploy is not wrangler deploy: ${words.join(" ")}`);
  return words;
}

export interface Built {
  /** The one module. */
  readonly path: string;
  /** What wrangler said. */
  readonly output: string;
}

const built = new Map<string, Promise<Built>>();

/** The gateway, built once. */
export function buildGateway(): Promise<Built> {
  return once("", () => dryRun(["--config", join(root, "wrangler.toml"), "--env="], "index.js"));
}

/** A Worker of `bench/workers`, built once, with the gateway's compatibility date and flags. */
export function buildWorker(name: string): Promise<Built> {
  return once(name, () => {
    const config = join(tempDir(), "wrangler.toml");
    const { compatibility_date, compatibility_flags } = settings;
    const main = join(import.meta.dirname, "../workers", `${name}.ts`);
    const lines = Object.entries({ name: `bench-${name}`, main, compatibility_date, compatibility_flags });
    writeFileSync(config, lines.map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join(""));
    return dryRun(["--config", config], `${name}.js`);
  });
}

function once(name: string, build: () => Promise<Built>): Promise<Built> {
  const known = built.get(name) ?? build();
  built.set(name, known);
  return known;
}

async function dryRun(options: readonly string[], file: string): Promise<Built> {
  const dir = tempDir();
  const output = await wrangler(["deploy", "--dry-run", "--outdir", dir, ...options, ...deployOptions]);
  return { path: join(dir, file), output };
}

/** Runs wrangler without a network; what it printed. Throws when it fails. */
export async function wrangler(args: readonly string[]): Promise<string> {
  const program = join(root, "node_modules/wrangler/bin/wrangler.js");
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", NO_COLOR: "1" };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, ...args], { cwd: root, env });
  return stdout + stderr;
}
