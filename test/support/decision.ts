/** What the gateway says of how it decided on a request, with `gateway.debugHeaders`. */
import { parseDictionary } from "structured-headers";
import type { Received } from "./client.ts";
import { headerOf } from "./wire.ts";

/** The members of `sluice-decision`; empty when the answer has none. */
export function decisionOf(received: Pick<Received, "headers">): Readonly<Record<string, unknown>> {
  const members = parseDictionary(headerOf(received, "sluice-decision") ?? "");
  return Object.fromEntries([...members].map(([name, [value]]) => [name, value]));
}
