/** What the figures were measured on, and the tools that are needed for it. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { root } from "./servers/build.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  readonly workerd: string;
  readonly wrangler: string;
  readonly nginx: string;
  readonly commit: string;
}

export function describeMachine(): Machine {
  const versionOf = (name: string) =>
    (JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")) as { version: string }).version;
  const isChanged = output("git", ["status", "--porcelain", "--", "src", "durable-objects", "wrangler.toml"]) !== "";
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    workerd: versionOf("workerd"),
    wrangler: versionOf("wrangler"),
    // It writes its version to standard error.
    nginx: spawnSync("nginx", ["-v"], { encoding: "utf8" }).stderr.trim().replace("nginx version: nginx/", ""),
    commit: output("git", ["rev-parse", "--short", "HEAD"]) + (isChanged ? "-changed" : ""),
  };
}

function output(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { cwd: root, encoding: "utf8" }).trim();
}

/** Debian's packages by a program of each. */
const tools = { wrk: "wrk", nginx: "nginx" };

/** Installs wrk and nginx, and what else is named, where they are missing (Debian, as root). Throws with a sentence for the user. */
export function requireTools(more: Readonly<Record<string, string>> = {}): void {
  if (process.platform !== "linux")
    throw new Error("the benchmark needs Linux: it reads /proc and holds processes to cores");
  if (cpus().length < 2) throw new Error("the benchmark needs two cores: one for the gateway, one for load and origin");
  if (!isThere("taskset", ["--version"])) throw new Error("taskset is missing; it is in the package util-linux");
  const missing = Object.entries({ ...tools, ...more }).flatMap(([program, packages]) =>
    isThere(program, ["-v"]) ? [] : packages.split(" "),
  );
  if (missing.length === 0) return;
  console.error(`Installing ${missing.join(", ")} ...`);
  const { status, error } = spawnSync("apt-get", ["install", "-y", "--no-install-recommends", ...missing], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (status === 0) return;
  throw new Error(
    `${missing.join(", ")} could not be installed (${error?.message ?? `apt-get: ${status}`}); install them by hand`,
  );
}

function isThere(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).error === undefined;
}
