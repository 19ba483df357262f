/** workerd itself, without the proxy that `wrangler dev` puts in front of it. */
import { copyFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { buildWorker, root, settings } from "./build.ts";
import { cachePart, capnpOf, type Part } from "./capnp.ts";
import { cores, type Pinned, startPinned, tempDir } from "./process.ts";

/** The program itself. */
export const workerdBinary = join(root, "node_modules/workerd/bin/workerd");
/** Time for workerd to listen. */
const readyMsMax = 20_000;

/** What stands before the command line of workerd; [] = nothing. */
export type Emulator = readonly string[];

/** A Worker to run: a part, but for the file, which is `path`. */
export type Program = Omit<Part, "file"> & { readonly path: string };

export interface Workerd {
  readonly process: Pinned;
  /** Where a part listens; no "/" at the end. Throws for one that does not. */
  url(part: string): string;
  /** Lines about exceptions and rejections that nobody caught. */
  uncaught(): readonly string[];
  stop(): Promise<void>;
}

/** Writes the configuration once; each call of the result starts a process with it, on the same stored objects. */
export async function prepareWorkerd(
  programs: readonly Program[],
  under: Emulator = [],
): Promise<() => Promise<Workerd>> {
  const dir = tempDir();
  const { path } = await buildWorker(cachePart);
  const cache: Program = { name: cachePart, path, bindings: {}, classes: [], listens: false };
  const parts = [...programs, cache].map(({ path, ...part }) => {
    const file = `${part.name}-${basename(path)}`;
    copyFileSync(path, join(dir, file));
    return { ...part, file };
  });
  const runtime = {
    compatibilityDate: settings.compatibility_date ?? "",
    compatibilityFlags: settings.compatibility_flags,
    disk: tempDir(),
  };
  const config = join(dir, "config.capnp");
  writeFileSync(config, capnpOf(parts, runtime));
  const listening = programs.filter(({ listens }) => listens).map(({ name }) => name);
  return () => start(config, listening, under);
}

async function start(config: string, listening: readonly string[], under: Emulator): Promise<Workerd> {
  const args = [workerdBinary, "serve", "--experimental", "--control-fd=3", config, "config"];
  const [program, ...rest] = [...under, ...args];
  const process = startPinned(cores.gateway, program!, rest, true);
  const ports = await portsOf(process, listening.length);
  return {
    process,
    url(part) {
      const port = ports.get(part);
      if (port === undefined) throw new Error(`${part} does not listen`);
      return `http://127.0.0.1:${port}`;
    },
    uncaught: () =>
      process
        .log()
        .split("\n")
        .filter((line) => /uncaught|unhandled/i.test(line)),
    stop: () => process.stop(),
  };
}

/** workerd tells on its control descriptor, a JSON object a line, where each socket listens. */
function portsOf({ child, log }: Pinned, count: number): Promise<ReadonlyMap<string, number>> {
  return new Promise((resolve, reject) => {
    const ports = new Map<string, number>();
    const fail = () => reject(new Error(`workerd did not start:\n${log()}`));
    const timer = setTimeout(fail, readyMsMax);
    child.once("exit", fail);
    child.once("error", fail);
    createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => {
      const event = JSON.parse(line) as { event: string; socket: string; port: number };
      if (event.event === "listen") ports.set(event.socket, event.port);
      if (ports.size < count) return;
      clearTimeout(timer);
      resolve(ports);
    });
  });
}
