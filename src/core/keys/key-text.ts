import { ipGroup } from "./ip-group.ts";
import type { KeySource } from "./keys.ts";

/**
 * Text of a client key, `<source>=<value>`, or `global`: the same value of two sources is two keys. An IPv6 address is its
 * /64.
 */
export function keyText(source: KeySource, value: string): string {
  if (source.kind === "global") return "global";
  return `${sourceText(source)}=${source.kind === "ip" ? ipGroup(value) : value}`;
}

/** A source as the document has it: `ip`, `header:x-user-id`. */
export function sourceText(source: KeySource): string {
  return "name" in source ? `${source.kind}:${source.name}` : source.kind;
}
