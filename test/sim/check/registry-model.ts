/** A registry without time: what its calls do and answer while no lease ends. */
import type {
  HeartbeatAnswer,
  ListAnswer,
  RegisterAnswer,
  RegisterRequest,
} from "../../../durable-objects/service-registry-api.ts";
import type { Asked } from "./history.ts";
import type { Model } from "./linear.ts";

interface Entry {
  readonly modRevision: number;
  /** null: nobody was told. */
  readonly leaseId: string | null;
  readonly state: "ready" | "draining";
}

export interface RegistryState {
  readonly revision: number;
  readonly origins: Readonly<Record<string, Entry>>;
}

type Step = (state: RegistryState, ask: never, answer: never) => RegistryState | null;

/** Is the answer, if there is one, what it should be? */
const fits = (isRight: boolean, state: RegistryState): RegistryState | null => (isRight ? state : null);

function put(state: RegistryState, id: string, entry: Omit<Entry, "modRevision">): RegistryState {
  const revision = state.revision + 1;
  return { revision, origins: { ...state.origins, [id]: { ...entry, modRevision: revision } } };
}

function remove({ revision, origins }: RegistryState, id: string): RegistryState {
  const { [id]: _, ...rest } = origins;
  return { revision: revision + 1, origins: rest };
}

const steps: Readonly<Record<string, Step>> = {
  register(state, { origin, ifRevision }: RegisterRequest, answer: RegisterAnswer | undefined) {
    const old = state.origins[origin];
    const oldRevision = old?.modRevision ?? 0;
    if (ifRevision !== undefined && ifRevision !== oldRevision) {
      return fits(
        answer === undefined || (!answer.ok && "revision" in answer && answer.revision === oldRevision),
        state,
      );
    }
    if (answer === undefined) return put(state, origin, { leaseId: null, state: "ready" });
    const next = answer.ok ? put(state, origin, { leaseId: answer.leaseId, state: "ready" }) : null;
    if (next === null || !answer.ok) return null;
    return fits(answer.revision === next.revision && answer.created === (old === undefined), next);
  },
  heartbeat(state, _ask: unknown, answer: HeartbeatAnswer | undefined) {
    const origins = { ...state.origins };
    for (const { origin, leaseId } of answer?.renewed ?? []) {
      const entry = origins[origin];
      if (entry === undefined || (entry.leaseId ?? leaseId) !== leaseId) return null;
      // The lease of a registration that was not answered: from now on it is known.
      origins[origin] = { ...entry, leaseId };
    }
    return fits(!answer?.lost.some(({ origin, leaseId }) => origins[origin]?.leaseId === leaseId), {
      ...state,
      origins,
    });
  },
  drain(
    state,
    { origin, graceSeconds }: { origin: string; graceSeconds: number },
    answer: { ok: boolean; revision?: number } | undefined,
  ) {
    const old = state.origins[origin];
    if (old === undefined) return fits(answer === undefined || !answer.ok, state);
    const next = graceSeconds === 0 ? remove(state, origin) : put(state, origin, { ...old, state: "draining" });
    return fits(answer === undefined || answer.revision === next.revision, next);
  },
  deregister(state, { origin }: { origin: string }, answer: { revision: number } | undefined) {
    const next = state.origins[origin] === undefined ? state : remove(state, origin);
    return fits(answer === undefined || answer.revision === next.revision, next);
  },
  list(state, _ask: unknown, answer: ListAnswer | undefined) {
    if (answer === undefined) return state;
    const known = Object.entries(state.origins).map(([id, { modRevision, state }]) => `${id} ${modRevision} ${state}`);
    const found = answer.origins.map(({ id, modRevision, state }) => `${id} ${modRevision} ${state}`);
    return fits(answer.revision === state.revision && known.sort().join() === found.sort().join(), state);
  },
};

export const registryModel: Model<RegistryState, Asked, unknown> = {
  first: { revision: 0, origins: {} },
  step: (state, { method, args }, answer) => steps[method]!(state, args[0] as never, answer as never),
  textOf: (state) =>
    JSON.stringify([state.revision, Object.entries(state.origins).sort(([a], [b]) => (a < b ? -1 : 1))]),
};
