/** `/v1/watch` and `/v1/services/{service}/watch`: events as they come, by calls that wait or by a WebSocket. */

import type { Context } from "hono";
import type * as z from "zod";
import {
  manifestWatch,
  pollEvents,
  registryWatch,
  streamEvents,
  type WatchAnswer,
  type Watched,
} from "../clients/watch.ts";
import { GatewayError } from "../errors.ts";
import type { ManifestWatchAnswer, ServiceWatchAnswer } from "../schema/api.ts";
import type { AdminApp } from "./app.ts";
import type { AdminContext, SnapshotSource } from "./context.ts";
import { declaredServices } from "./declared.ts";
import * as calls from "./watch-calls.ts";

type ServiceWatch = z.output<typeof ServiceWatchAnswer>;
type ManifestWatch = z.output<typeof ManifestWatchAnswer>;
interface Query {
  readonly from?: number | undefined;
  readonly waitSeconds: number;
}

/** Adds the calls to the admin app. */
export function mountWatch(app: AdminApp, snapshots: SnapshotSource): void {
  const declared = declaredServices(snapshots);
  app.add(calls.watchService, async (c) => {
    const { service } = c.req.valid("param");
    await declared.one(c.env, service);
    const watched = registryWatch(c.env, service);
    const answer = await watch<ServiceWatch["events"][number]>(c, watched, c.req.valid("query"), "revision");
    // A 101 is no answer with content, so the description has none.
    if (answer instanceof Response) return answer as never;
    return c.json({ revision: answer.position, events: answer.events }, 200);
  });
  app.add(calls.watchManifest, async (c) => {
    const watched = manifestWatch(c.env);
    const answer = await watch<ManifestWatch["events"][number]>(c, watched, c.req.valid("query"), "version");
    if (answer instanceof Response) return answer as never;
    return c.json({ version: answer.position, events: answer.events }, 200);
  });
}

/** Events, or the 101 of a WebSocket. `name`: what a position is called. Throws `compacted` and `overloaded`. */
async function watch<E>(c: Context<AdminContext>, watched: Watched, { from: given, waitSeconds }: Query, name: string) {
  const from = given ?? null;
  const isStream = c.req.header("upgrade")?.toLowerCase() === "websocket";
  const answer = isStream
    ? await streamEvents(watched, from)
    : await pollEvents<E>(watched, from, waitSeconds * 1000, c.req.raw.signal);
  if (answer instanceof Response) return answer;
  if (answer.ok) return { position: answer.position, events: [...answer.events] };
  throw refusal(answer, name);
}

function refusal({ code, position }: WatchAnswer<unknown> & { ok: false }, name: string): GatewayError {
  if (code === "overloaded") return new GatewayError(code, { detail: "There are as many watchers as there may be." });
  const detail = `Events after this ${name} are not kept (any more). Read everything, then watch from ${position}.`;
  return new GatewayError(code, { detail, members: { [name]: position } });
}
