/** What this isolate knows of its origins' load: per service, outliving snapshots. */
import { newLoadState, retain, turn } from "../core/balancing/load.ts";
import type { LoadState } from "../core/balancing/types.ts";
import type { Snapshot } from "../snapshot/types.ts";

/** Balancing state of one service. */
export interface ServiceLoad {
  readonly state: LoadState;
}

const loads = new Map<string, ServiceLoad>();
let prunedFor: Snapshot | null = null;

/** The load of a service. On a new snapshot everything is forgotten that is no longer in it, so this cannot grow. */
export function loadOf(snapshot: Snapshot, service: string): ServiceLoad {
  if (prunedFor !== snapshot) prune(snapshot);
  let load = loads.get(service);
  if (!load) {
    load = { state: newLoadState() };
    loads.set(service, load);
  }
  turn(load.state, Date.now());
  return load;
}

function prune(snapshot: Snapshot): void {
  prunedFor = snapshot;
  for (const [name, { state }] of loads) {
    const service = snapshot.services.get(name);
    if (!service) {
      loads.delete(name);
      continue;
    }
    retain(state, new Set(service.origins.map(({ id }) => id)));
  }
}
