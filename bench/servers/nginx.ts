/** nginx: the origin, and two peers. One process each, so that its CPU time is all there is. */
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { until } from "../../scripts/start/processes.ts";
import { cores, type Pinned, startPinned, tempDir } from "./process.ts";

/** Size of the origin's answers. */
const answerBytes = 1_024;

export interface Nginx {
  readonly process: Pinned;
  readonly url: string;
}

/** Answers everything with 1 KiB. Bodies are read to their end first, under `/upload` only. */
export function startOrigin(): Promise<Nginx> {
  return start(cores.load, (port) => ({
    locations: `
      location / { return 200 "${"x".repeat(answerBytes)}"; }
      location /upload {
        proxy_pass_request_body off;
        proxy_set_header Content-Length "";
        proxy_pass http://127.0.0.1:${port}/;
      }`,
  }));
}

/** `proxy_pass`, with `limit_req` when `isLimited`: a limit per address that is never reached. */
export function startProxy(origin: string, isLimited: boolean): Promise<Nginx> {
  const zone = "limit_req_zone $binary_remote_addr zone=clients:10m rate=1000000r/s;";
  const limit = isLimited ? "limit_req zone=clients burst=1000000 nodelay;" : "";
  return start(cores.gateway, () => ({
    http: `${isLimited ? zone : ""} upstream origin { server ${new URL(origin).host}; keepalive 64; keepalive_requests 1000000000; }`,
    locations: `location / { ${limit} proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }`,
  }));
}

interface Parts {
  readonly http?: string;
  readonly locations: string;
}

async function start(core: number, partsOf: (port: number) => Parts): Promise<Nginx> {
  const port = await freePort();
  const dir = tempDir();
  const file = join(dir, "nginx.conf");
  writeFileSync(file, configOf(port, dir, partsOf(port)));
  const process = startPinned(core, "nginx", ["-c", file, "-p", dir, "-e", join(dir, "error.log")]);
  const url = `http://127.0.0.1:${port}`;
  const ended = new AbortController();
  process.child.once("exit", () => ended.abort(new Error(`nginx ended:\n${process.log()}`)));
  await until("nginx did not answer", 5_000, ended.signal, async (signal) => (await fetch(url, { signal })).ok);
  return { process, url };
}

function configOf(port: number, dir: string, { http = "", locations }: Parts): string {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${dir}/${name};`);
  return `
daemon off;
master_process off;
pid ${dir}/pid;
events { worker_connections 4096; }
http {
  access_log off;
  ${paths.join(" ")}
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_max_body_size 0;
  client_body_buffer_size 512k;
  ${http}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    ${locations}
  }
}
`;
}

/** nginx has to be told a port. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
