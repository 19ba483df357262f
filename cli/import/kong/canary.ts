/** The `canary` plugin: a second version of the service for some of its requests. */

import { namedKey } from "../keys.ts";
import { originUrl } from "../origins.ts";
import type { Part } from "../reader.ts";
import type { Route } from "../types.ts";

/** The other version, and the rules that lead to it. */
export interface Canary {
  readonly url: string;
  readonly traffic: NonNullable<Route["traffic"]>;
}

/** Names of the two versions. */
export const versions = { stable: "stable", canary: "canary" } as const;

/** undefined, with a note, when it is no share of the requests for another host. */
export function canaryOf(plugin: Part, config: Part): Canary | undefined {
  const [host, port, percentage] = [
    config.get("upstream_host"),
    config.get("upstream_port").number() ?? 80,
    config.get("percentage").number(),
  ];
  const name = host.text();
  if (name === undefined || percentage === undefined) {
    plugin.drop("canary without a host or a percentage", "All requests go to the stable version.");
    return undefined;
  }
  const url = originUrl(`${port === 443 ? "https" : "http"}://${name}:${port}`, host);
  if (url === undefined) return undefined;
  const uri = config.get("upstream_uri");
  if (uri.exists) uri.drop("upstream_uri of a canary", "Both versions get the same path; use `rewrite` in the split.");
  const header = config.get("canary_by_header_name").text();
  const byHeader = (exact: string, version: string) => ({
    when: { headers: [{ name: header ?? "", exact }] },
    version,
  });
  const rules = header === undefined ? [] : [byHeader("always", versions.canary), byHeader("never", versions.stable)];
  const stickyBy = stickyOf(config);
  const split = [
    { version: versions.stable, weight: 100 - percentage },
    { version: versions.canary, weight: percentage },
  ];
  return { url, traffic: [...rules, { split, ...(stickyBy && { stickyBy }) }] };
}

function stickyOf(config: Part): string[] | undefined {
  const part = config.get("hash");
  const hash = part.text() ?? "consumer";
  if (hash === "none") return undefined;
  if (hash === "header") return [namedKey("header", config.get("hash_header")) ?? "ip", "ip"];
  if (hash !== "ip") {
    const hint = "Clients stay on their side by their address.";
    if (part.exists) part.bend(`canary by ${hash}`, hint);
    else config.remark("canary by consumer", hint);
  }
  return ["ip"];
}
