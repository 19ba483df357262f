/** A service of Kong with its upstream as a service of ours. */
import { bounds } from "../../../src/bounds.ts";
import { nameOf } from "../names.ts";
import { originUrl } from "../origins.ts";
import type { Part } from "../reader.ts";
import type { Route, Service } from "../types.ts";
import { upstreamService } from "./upstream.ts";

/** What routes need of their service. */
export interface Backend {
  readonly service: Service;
  /** In front of the path that is sent: "" or "/v1", without a "/" at its end. */
  readonly basePath: string;
  /** Where `basePath` was read. */
  readonly pathPart: Part;
  readonly settings: Pick<Route, "timeouts" | "retries">;
}

type Address = { scheme: string; host: string | undefined; port: number; path: string };

const schemes: Readonly<Record<string, string>> = { http: "http", https: "https", ws: "http", wss: "https" };

/** Translates a service; undefined, with a note, when the gateway has nothing like it. */
export function translateService(part: Part, upstreams: readonly Part[]): Backend | undefined {
  if (part.get("enabled").flag() === false) {
    part.drop("disabled service", "It and its routes were left out: they did nothing in the original either.");
    return undefined;
  }
  const address = addressOf(part);
  const scheme = schemes[address.scheme];
  if (scheme === undefined) {
    part.drop(`service that speaks ${address.scheme}`, "It and its routes were left out: the gateway speaks HTTP.");
    return undefined;
  }
  return {
    service: serviceOf(part, { ...address, scheme }, upstreams),
    basePath: address.path.replace(/\/+$/, ""),
    pathPart: part.get(part.get("path").exists ? "path" : "url"),
    settings: settingsOf(part),
  };
}

/** Of `url`, else of its parts. Their defaults are Kong's: http, and port 80 whatever the protocol. */
function addressOf(part: Part): Address {
  const text = part.get("url").text();
  const url = text === undefined ? null : URL.parse(text);
  if (text !== undefined && url === null) part.get("url").drop("service URL", "It is not an absolute URL.");
  const protocol = part.get("protocol").text();
  if (url !== null) {
    const scheme = protocol ?? url.protocol.slice(0, -1);
    const port = url.port || (url.protocol === "https:" || url.protocol === "wss:" ? 443 : 80);
    const { host, port: otherPort, path } = fieldsOf(part);
    if (host !== undefined || otherPort !== undefined || path !== undefined || protocol !== undefined) {
      part.get("url").remark("service URL beside its parts", "The parts count.");
    }
    return {
      scheme,
      host: host ?? url.hostname,
      port: otherPort ?? Number(port),
      path: path ?? url.pathname,
    };
  }
  const { host, port, path } = fieldsOf(part);
  return { scheme: protocol ?? "http", host, port: port ?? 80, path: path ?? "" };
}

const fieldsOf = (part: Part) => ({
  host: part.get("host").text(),
  port: part.get("port").number(),
  path: part.get("path").text(),
});

function serviceOf(part: Part, { scheme, host, port }: Address, upstreams: readonly Part[]): Service {
  if (host === undefined) {
    part.get("host").drop("service without a host", "Its origins have to register themselves.");
    if (part.get("port").exists) part.get("port").drop("port of a service without a host", "Nothing uses it.");
    return {};
  }
  const upstream = upstreams.find((candidate) => candidate.get("name").value === host);
  if (upstream === undefined) {
    const url = originUrl(`${scheme}://${host}:${port}`, part.get("host").exists ? part.get("host") : part.get("url"));
    return url === undefined ? {} : { origins: [{ id: nameOf(host) || "origin", url }] };
  }
  upstream.get("name").use();
  if (part.get("port").exists) part.get("port").drop("port of a service with an upstream", "Targets have their own.");
  return upstreamService(upstream, scheme);
}

/** Kong bounds the connection and each pause between two bytes; we bound the time to the headers and the silence after. */
function settingsOf(part: Part): Backend["settings"] {
  const [connect = 60_000, read = 60_000, write = 60_000] = ["connect_timeout", "read_timeout", "write_timeout"].map(
    (name) => {
      const member = part.get(name);
      const milliseconds = member.number();
      if (milliseconds !== undefined) member.bend(name, "It is a part of timeouts.attemptMs and timeouts.idleMs.");
      return milliseconds;
    },
  );
  const within = (milliseconds: number) => Math.min(milliseconds, bounds.requestTimeoutMsMax);
  const timeouts = { requestMs: 0, attemptMs: within(connect + read), idleMs: within(Math.max(read, write)) };
  const wanted = part.get("retries").number() ?? 5;
  if (wanted > bounds.retriesMax) part.get("retries").bend(`${wanted} retries`, `At most ${bounds.retriesMax}.`);
  const attempts = Math.min(wanted, bounds.retriesMax);
  return { timeouts, ...(attempts > 0 && { retries: { attempts, codes: [] } }) };
}
