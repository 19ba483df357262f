/** Following the changes that a gateway tells of, by calls that wait for them. */
import type { z } from "zod";
import type * as schema from "../src/schema/api.ts";
import { type Api, mayPass, Refusal } from "./api.ts";
import { backoffMs, pause } from "./backoff.ts";
import { limits } from "./limits.ts";
import { servicePath } from "./services.ts";

type ServiceEvent = z.output<typeof schema.ServiceWatchAnswer>["events"][number];
type ManifestEvent = z.output<typeof schema.ManifestWatchAnswer>["events"][number];

/** An event for people (`type`, and what it is about) and for programs (`event`). */
export interface Seen {
  readonly position: number;
  readonly type: string;
  readonly about: string;
  readonly event: object;
}

/** What can be followed. */
interface Stream {
  readonly path: string;
  /** Member that has the position, in answers, events and refusals. */
  readonly member: "revision" | "version";
  readonly describe: (event: never) => Pick<Seen, "type" | "about">;
}

interface Answer {
  readonly revision?: number;
  readonly version?: number;
  readonly events: readonly (object & { readonly revision?: number; readonly version?: number })[];
}

/** Everything that isolates follow. */
export const manifestStream: Stream = {
  path: "/v1/watch",
  member: "version",
  describe: ({ section, revision }: ManifestEvent) => ({ type: section, about: `revision ${revision}` }),
};

/** The origins of one service. */
export function serviceStream(service: string): Stream {
  return {
    path: `${servicePath(service)}/watch`,
    member: "revision",
    describe: ({ type, origin, state, url, version, weight }: ServiceEvent) => {
      const known = [origin, state, version, url, weight === undefined ? null : `weight ${weight}`];
      return { type, about: known.filter((text) => text !== null && text !== undefined).join("  ") };
    },
  };
}

export interface Listener {
  readonly seen: (seen: Seen) => void;
  readonly note: (text: string) => void;
}

/**
 * Tells of each event after `from` (now when left out) until `stopping`. What may pass is tried again for ever; throws for
 * what may not, and for a failure before the first answer.
 */
export async function follow(
  api: Api,
  { path, member, describe }: Stream,
  from: number | undefined,
  stopping: AbortSignal,
  { seen, note }: Listener,
): Promise<void> {
  let position = from;
  let failures = 0;
  while (!stopping.aborted) {
    try {
      const { body } = await api.call<Answer>(path, {
        query: { from: position, waitSeconds: position === undefined ? undefined : limits.watchWaitSeconds },
        timeoutMs: limits.callMsMax + limits.watchWaitSeconds * 1_000,
        signal: stopping,
      });
      for (const event of body.events) seen({ position: event[member] ?? 0, event, ...describe(event as never) });
      position = body[member];
      failures = 0;
    } catch (error) {
      if (stopping.aborted) return;
      if (error instanceof Refusal && error.code === "compacted") {
        const next = Number(error.members[member]);
        const about = "changes were missed: read everything anew";
        seen({ position: next, type: "compacted", about, event: { type: "compacted", [member]: next } });
        position = next;
        continue;
      }
      if (position === undefined || !mayPass(error)) throw error;
      const pauseMs = backoffMs(failures++, Math.random());
      note(`${(error as Error).message}; resumes in ${(pauseMs / 1_000).toFixed(1)} s`);
      await pause(pauseMs, stopping);
    }
  }
}
