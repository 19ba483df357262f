/** Which services and limits the configuration declares, as it is now rather than as this isolate remembers it. */
import { bounds } from "../bounds.ts";
import { GatewayError } from "../errors.ts";
import type { CompiledLimit, CompiledService } from "../snapshot/types.ts";
import type { SnapshotSource } from "./context.ts";

type Services = ReadonlyMap<string, CompiledService>;
const noServices: Services = new Map();

export interface DeclaredServices {
  /** Every service. */
  all(env: Env): Promise<Services>;
  /** Services among which those of `names` are, if they are declared. */
  among(env: Env, names: readonly string[]): Promise<Services>;
  /** One service. Throws `service_unknown`. */
  one(env: Env, name: string): Promise<CompiledService>;
}

/**
 * Follows the control plane when what is known may be old (a rule may have changed) or does not suffice (a name may be
 * new). While the control plane is away, what is known counts if it suffices.
 */
async function follow(snapshots: SnapshotSource, env: Env, suffices: boolean): Promise<void> {
  if (suffices && snapshots.status().ageMs <= bounds.snapshotFreshMs) return;
  try {
    await snapshots.refresh(env);
  } catch (error) {
    if (!suffices) throw error;
  }
}

export function declaredServices(snapshots: SnapshotSource): DeclaredServices {
  const known = () => snapshots.status().snapshot?.config.services ?? noServices;

  async function among(env: Env, names: readonly string[]): Promise<Services> {
    const allKnown = names.every((name) => known().has(name));
    await follow(snapshots, env, allKnown);
    return known();
  }

  return {
    among,
    async all(env) {
      await snapshots.refresh(env);
      return known();
    },
    async one(env, name) {
      const service = (await among(env, [name])).get(name);
      if (service) return service;
      throw new GatewayError("service_unknown", { detail: `The configuration declares no service "${name}".` });
    },
  };
}

/** One limit. Throws `limit_unknown`. */
export async function declaredLimit(snapshots: SnapshotSource, env: Env, name: string): Promise<CompiledLimit> {
  const known = () => snapshots.status().snapshot?.config.limits.get(name);
  await follow(snapshots, env, known() !== undefined);
  const limit = known();
  if (limit) return limit;
  throw new GatewayError("limit_unknown", { detail: `The configuration declares no rate limit "${name}".` });
}
