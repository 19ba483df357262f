import type * as z from "zod";
import type { ExplainAnswer } from "../schema/api.ts";
import type { Snapshot, SnapshotStatus } from "../snapshot/types.ts";
import type { Role } from "./auth.ts";

/** What Hono carries through a call of the admin API. */
export interface AdminContext {
  Bindings: Env;
  Variables: {
    requestId: string;
    role: Role;
    /** The text of the body, after `strictJson` has checked it. */
    bodyText: string;
    /** The call was asked to change nothing, and has not. */
    isDryRun: boolean;
  };
}

/** The isolate's snapshot. It is handed in by the entry, since this room may not reach for it. */
export interface SnapshotSource {
  /** The snapshot that a request should use; null before the first configuration. */
  current(env: Env, ctx: ExecutionContext): Snapshot | null | Promise<Snapshot | null>;
  /** Follows the control plane now. Throws when it cannot. */
  refresh(env: Env): Promise<void>;
  /** What is known; asks nobody. */
  status(): SnapshotStatus;
}

/** Explains a request to `url`, which is the request's, parsed. Handed in by the entry too: it is made of the stages. */
export type Explainer = (request: Request, snapshot: Snapshot, env: Env) => Promise<z.output<typeof ExplainAnswer>>;
