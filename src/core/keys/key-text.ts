import { ipGroup } from "./ip-group.ts";
import type { KeySource } from "./keys.ts";

/**
 * Text of a client key, `<source>=<value>`, or `global`: the same value of two sources is two keys. An IPv6 address is its
 * /64.
 */
export function keyText(source: KeySource, value: string): string {
  switch (source.kind) {
    case "global":
      return "global";
    case "ip":
      return `ip=${ipGroup(value)}`;
    case "path":
    case "route":
      return `${source.kind}=${value}`;
    default:
      return `${source.kind}:${source.name}=${value}`;
  }
}
