/** Stage: which revision of the configuration a request is served by. */
import { bounds } from "../bounds.ts";
import type { RequestFacts } from "../core/facts.ts";
import { keyOf } from "../core/keys/keys.ts";
import { bucketOf } from "../core/traffic/hash.ts";
import type { Snapshot } from "../snapshot/types.ts";

/** What a request is, by how many proxies are trusted; or why it is none that can be served. */
type Reading = (trustedProxyHops: number) => { readonly facts: RequestFacts } | Error;

/**
 * The snapshot in force, or for a share of the clients, always the same ones, that of the canary. Who the client is goes by
 * what is in force; nothing is read when no canary runs.
 */
export function revisionFor(snapshot: Snapshot, reading: Reading): Snapshot {
  const { canary } = snapshot;
  if (canary === null) return snapshot;
  const received = reading(snapshot.config.gateway.trustedProxyHops);
  if (received instanceof Error) return snapshot;
  const client = keyOf([{ kind: "ip" }], received.facts, { params: {}, route: "" }) ?? "";
  const isTried = bucketOf(`canary ${canary.snapshot.revision}`, client) < (canary.percent / 100) * bounds.splitBuckets;
  return isTried ? canary.snapshot : snapshot;
}
