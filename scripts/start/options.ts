/** What `npm start` is told: its options, and the variables of the local gateway. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { number, optionsOf } from "../options.ts";

/** Root of the repository. */
export const root = join(import.meta.dirname, "../..");

export interface Options {
  /** Port of the gateway, 1-65535; 8787 when not given. */
  readonly port: number;
  /** Directory of the gateway's state; one of its own when not given, so that `wrangler dev` keeps its. */
  readonly persistTo: string;
}

/** Reads the command line. Ends the process if a sentence for the user is due. */
export function readOptions(): Options {
  const about = "A gateway on this machine with three origins of one service in two versions, to try things with.";
  return optionsOf("npm start", about, {
    port: number("port of the gateway", 8787, { max: 65_535 }),
    persistTo: {
      about: "directory of the gateway's state",
      takes: "path",
      read: (path) => resolve(path),
      byDefault: join(root, ".wrangler/start"),
    },
  });
}

export interface Variables {
  /** File they are from, relative to the root. */
  readonly file: ".dev.vars" | ".dev.vars.example";
  readonly adminToken: string;
  readonly registrarToken: string;
  readonly viewerToken: string;
}

/** Reads `.dev.vars`, or its example when there is none. Throws with a sentence for the user when a token is missing. */
export function readVariables(): Variables {
  const file = existsSync(join(root, ".dev.vars")) ? ".dev.vars" : ".dev.vars.example";
  const variables = parseEnv(readFileSync(join(root, file), "utf8"));
  const required = (name: string) => {
    const value = variables[name];
    if (!value) throw new Error(`${file} has no ${name}; .dev.vars.example shows what is needed`);
    return value;
  };
  if (required("ALLOW_PRIVATE_ORIGINS") !== "true") throw new Error(`${file} must have ALLOW_PRIVATE_ORIGINS="true"`);
  return {
    file,
    adminToken: required("ADMIN_TOKEN"),
    registrarToken: required("REGISTRAR_TOKEN"),
    viewerToken: required("VIEWER_TOKEN"),
  };
}
