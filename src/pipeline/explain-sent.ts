/** Part of `explain.ts`: the request as an origin would receive it. */
import type { Client } from "../core/forwarding/client.ts";
import { isRequestId } from "../core/forwarding/headers.ts";
import type { HeaderEdits } from "../core/rewriting/headers.ts";
import type { Show } from "../core/unmet.ts";
import type { Rewrite } from "../snapshot/types.ts";
import { sentHeaders, sentTarget } from "./forward.ts";
import type { Incoming } from "./read.ts";

/** What would be sent. Texts that came from variables are shown as their placeholders. */
export interface ExplainedSent {
  readonly method: string;
  /** Path and query after rewriting, which follow the origin's URL. */
  readonly target: string;
  readonly headers: Record<string, string>;
  /** What the route and the version change of the headers. */
  readonly edits: {
    readonly set: Record<string, string>;
    readonly add: Record<string, string>;
    readonly remove: string[];
  } | null;
}

/** In the place of an id that only the real request will have. */
const newRequestId = "<new>";

/** Explains `forward`, which is not called. */
export function explainSent(incoming: Incoming, client: Client, real: Rewrite, show: Show): ExplainedSent {
  const { request, method, target } = incoming;
  const rewrite = shownRewrite(real, show);
  const given = incoming.headers.get("x-request-id");
  const requestId = isRequestId(given) ? given : newRequestId;
  const headers = sentHeaders(request, incoming.headers, client, requestId, rewrite);
  const { headers: edits } = rewrite;
  return {
    method,
    target: sentTarget(target, rewrite),
    headers: Object.fromEntries(headers),
    edits: edits && {
      set: Object.fromEntries(edits.set),
      add: Object.fromEntries(edits.add),
      remove: [...edits.remove].map(show),
    },
  };
}

/** The rewrite with placeholders where the document has them (C6). */
function shownRewrite({ path, headers }: Rewrite, show: Show): Rewrite {
  const modifier = path?.path;
  const edits = (list: HeaderEdits["set"]) => list.map(([name, value]) => [name, show(value)] as const);
  return {
    path: path && modifier ? { ...path, path: { ...modifier, value: show(modifier.value) } } : path,
    headers: headers && { ...headers, set: edits(headers.set), add: edits(headers.add) },
  };
}
