/** The Worker as it would be deployed, built once for as long as nothing that it is made of has changed. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const projectDir = fileURLToPath(new URL("../..", import.meta.url));
const sources = ["src", "durable-objects", "wrangler.toml", "package-lock.json"];

/** Path of the one module that `wrangler deploy` would upload; beside it `meta.json`, what it is made of (esbuild's metafile). */
export async function bundlePath(): Promise<string> {
  const prefix = `sluice-bundle-${createHash("sha256").update(projectDir).digest("hex").slice(0, 8)}-`;
  const dir = join(tmpdir(), prefix + stateOfSources());
  const path = join(dir, "index.js");
  if (existsSync(path)) return path;
  const building = await mkdtemp(join(tmpdir(), `${prefix}new-`));
  const wrangler = join(projectDir, "node_modules/wrangler/bin/wrangler.js");
  const args = ["deploy", "--dry-run", "--outdir", building, "--metafile", join(building, "meta.json")];
  await promisify(execFile)(process.execPath, [wrangler, ...args], {
    cwd: projectDir,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
  });
  // Another test file may have been faster; its build is the same.
  await rename(building, dir).catch(() => rm(building, { recursive: true }));
  removeOlder(prefix, dir);
  return path;
}

/** Changes whenever a source does: path, size and time of change of each. */
function stateOfSources(): string {
  const hash = createHash("sha256");
  for (const source of sources) {
    const root = join(projectDir, source);
    const isDirectory = statSync(root).isDirectory();
    const files = isDirectory ? readdirSync(root, { recursive: true, encoding: "utf8" }).sort() : [""];
    for (const file of files) {
      const { size, mtimeMs } = statSync(join(root, file));
      hash.update(`${source}/${file} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest("hex").slice(0, 16);
}

const keptMs = 60 * 60 * 1000;

function removeOlder(prefix: string, current: string): void {
  for (const name of readdirSync(tmpdir())) {
    const path = join(tmpdir(), name);
    if (!name.startsWith(prefix) || path === current) continue;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat && Date.now() - stat.mtimeMs > keptMs) rmSync(path, { recursive: true, force: true });
  }
}
