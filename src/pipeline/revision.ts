/** Stage: which revision of the configuration a request is served by. */
import { bounds } from "../bounds.ts";
import type { RequestFacts } from "../core/facts.ts";
import { keyOf } from "../core/keys/keys.ts";
import { bucketOf } from "../core/traffic/hash.ts";
import type { Snapshot } from "../snapshot/types.ts";

/** The snapshot in force, or for a share of the clients, always the same ones, that of the canary. */
export function revisionFor(snapshot: Snapshot, facts: RequestFacts): Snapshot {
  const { canary } = snapshot;
  if (canary === null) return snapshot;
  const client = keyOf([{ kind: "ip" }], facts, { params: {}, route: "" }) ?? "";
  const isTried = bucketOf(`canary ${canary.snapshot.revision}`, client) < (canary.percent / 100) * bounds.splitBuckets;
  return isTried ? canary.snapshot : snapshot;
}
