/** Which services the configuration declares, as it is now rather than as this isolate remembers it. */
import { bounds } from "../bounds.ts";
import { GatewayError } from "../errors.ts";
import type { CompiledService } from "../snapshot/types.ts";
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
 * They are read anew when they may be old (a rule for registrations may have changed) or when a name is not among them
 * (it may be new). While the control plane is away, what is known of known services counts.
 */
export function declaredServices(snapshots: SnapshotSource): DeclaredServices {
  const known = () => snapshots.status().snapshot?.config.services ?? noServices;

  async function among(env: Env, names: readonly string[]): Promise<Services> {
    const allKnown = names.every((name) => known().has(name));
    if (allKnown && snapshots.status().ageMs <= bounds.snapshotFreshMs) return known();
    try {
      await snapshots.refresh(env);
    } catch (error) {
      if (!allKnown) throw error;
    }
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
