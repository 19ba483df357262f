/** Compiles `loadBalancing`. */
import type { AuthoredService } from "../schema/config.ts";
import { compileKeySources } from "./compile-values.ts";
import type { DocumentPath, Problems } from "./problems.ts";
import type { CompiledService } from "./types.ts";

type Balancing = Pick<CompiledService, "policy" | "hashOn" | "zones" | "slowStartMs">;

/** What a client key is when the document does not say. */
const hashOnDefault = ["ip"] as const;

/** How origins are chosen. `hashOn` is empty for every policy but consistent-hash. */
export function compileBalancing(
  { policy, hashOn, zones, slowStartSeconds }: AuthoredService["loadBalancing"],
  path: DocumentPath,
  problems: Problems,
): Balancing {
  const sources = compileKeySources(hashOn ?? hashOnDefault, [...path, "hashOn"], problems);
  const isHash = policy === "consistent-hash";
  if (!isHash && hashOn !== undefined)
    problems.warn([...path, "hashOn"], "has no effect: it is for consistent-hash only");
  return {
    policy,
    hashOn: isHash ? sources : [],
    zones: zones ? { zoneOf: new Map(Object.entries(zones.map)) } : null,
    slowStartMs: slowStartSeconds * 1_000,
  };
}
