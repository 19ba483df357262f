/** What calls may have changed, by an independent model: nothing by a refusal, and by what was accepted just that. */
import { isDeepStrictEqual } from "node:util";
import type { Exchange } from "./admin-answers.ts";
import type { Domain } from "./admin-calls.ts";

type Members = Readonly<Record<string, unknown>>;

/** What is stored, as the admin API shows it. */
export interface State {
  readonly revision: number;
  /** The document in force. */
  readonly text: string;
  /** Origins that have registered; `revision` is null while the configuration does not declare the service. */
  readonly registry: { readonly revision: number | null; readonly origins: Readonly<Record<string, Members>> };
  /** Orders to breakers by version; "*": to the whole service. */
  readonly orders: Readonly<Record<string, unknown>>;
}

/** Documents by revision: those that were there before, and those that are new. */
export type Documents = ReadonlyMap<number, unknown>;

/** An exchange that was accepted, with what it answered. */
type Accepted = Exchange & { readonly sent: unknown; readonly answered: Members };

/** What is wrong with what a batch of exchanges of one call made of `before`; null: nothing. */
export function wrongWithChange(
  domain: Domain,
  exchanges: readonly Exchange[],
  before: State,
  after: State,
  documents: Documents,
): string | null {
  const accepted = exchanges.flatMap((exchange) => acceptedOf(exchange));
  if (domain !== "config" && (after.revision !== before.revision || after.text !== before.text))
    return "the configuration has changed";
  // A configuration that does not declare the service hides these, and one with health checks makes revisions.
  const isShown = after.registry.revision !== null;
  const part = ({ registry }: State) => (domain === "config" ? registry.origins : registry);
  if (domain !== "registry" && isShown && !isDeepStrictEqual(part(after), part(before)))
    return "the registry has changed";
  if (domain !== "breakers" && isShown && !isDeepStrictEqual(after.orders, before.orders))
    return "breakers have changed";
  if (domain === "config") return wrongWithConfig(accepted, before, after, documents);
  if (domain === "registry") return wrongWithRegistry(accepted, before, after);
  return domain === "breakers" ? wrongWithOrders(accepted, before, after) : null;
}

function acceptedOf(exchange: Exchange): Accepted[] {
  const { answer, reading, target } = exchange;
  if (answer === null || answer.status >= 300 || target.includes("dryRun=true")) return [];
  const sent = reading.kind === "clean" || reading.kind === "unknown" ? reading.value : {};
  return [{ ...exchange, sent, answered: JSON.parse(answer.text) as Members }];
}

function wrongWithConfig(
  accepted: readonly Accepted[],
  before: State,
  after: State,
  documents: Documents,
): string | null {
  const revisions = accepted.map(({ answered }) => Number(answered.revision));
  const newest = Math.max(before.revision, ...revisions);
  if (after.revision !== newest) return `the revision is ${after.revision}, made by nobody`;
  for (let revision = before.revision + 1; revision <= after.revision; revision++)
    if (!revisions.includes(revision)) return `revision ${revision} was made by nobody`;
  for (const one of accepted) {
    const revision = Number(one.answered.revision);
    const stored = documents.get(revision);
    // A change that changes nothing makes no revision.
    const bases = [documents.get(revision - 1), stored];
    if (!bases.some((base) => same(stored, wantedBy(one, base, documents))))
      return `revision ${revision} is not what was sent`;
  }
  // Two that say the same make one revision, with the text of either.
  const texts = accepted.flatMap(({ call, answered, reading }) =>
    call.method === "PUT" && answered.revision === after.revision && "text" in reading ? [reading.text] : [],
  );
  if (after.revision > before.revision && texts.length > 0 && !texts.includes(after.text))
    return "the text in force is none that was sent";
  return revisions.length === 0 && after.text !== before.text ? "the document has changed" : null;
}

/** The document that a change of the document `base` asks for. */
function wantedBy({ call, sent }: Accepted, base: unknown, documents: Documents): unknown {
  if (call.method === "PATCH") return patched(base, sent);
  return call.method === "PUT" ? sent : documents.get((sent as { revision: number }).revision);
}

/** RFC 7396, section 2, as written there. */
function patched(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = patched(result[name], value);
  }
  return result;
}

/** Equal as JSON, which can't tell 0 from -0. */
function same(a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return false;
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
}

function wrongWithRegistry(accepted: readonly Accepted[], before: State, after: State): string | null {
  const last = new Map<string, Accepted>();
  for (const one of accepted) {
    const id = String(one.answered.origin);
    if (Number(one.answered.revision) >= Number(last.get(id)?.answered.revision ?? 0)) last.set(id, one);
  }
  const answered = accepted.map((one) => Number(one.answered.revision));
  const revision = Math.max(before.registry.revision ?? 0, ...answered);
  const isDrain = accepted.some(({ call }) => call.name.endsWith("drain"));
  // The end of a short grace makes a revision of its own.
  if (isDrain ? Number(after.registry.revision) < revision : after.registry.revision !== revision)
    return "the registry's revision is none that was answered";
  const known = { ...before.registry.origins, ...after.registry.origins };
  for (const id of new Set([...Object.keys(known), ...last.keys()])) {
    const origin = after.registry.origins[id];
    const change = last.get(id);
    const isGoing = origin === undefined || origin.state === "draining";
    const isAs = (expected: unknown) => isDeepStrictEqual(origin, expected);
    const isKept = change === undefined && isAs(before.registry.origins[id]);
    const isRight = isKept || (change && (isDrain ? isGoing : isAs(originOf(change.sent as Members))));
    if (!isRight) return `the origin ${id} is ${JSON.stringify(origin)}`;
  }
  return null;
}

/** An origin as it has to be stored. */
function originOf({ url, version = null, weight = 1, zone = null, metadata = {} }: Members): Members {
  const { origin, pathname } = new URL(String(url));
  const stored = { url: origin + pathname.replace(/\/$/, ""), version, weight, zone, state: "ready", metadata };
  return JSON.parse(JSON.stringify(stored)) as Members;
}

/** An order to the whole service is one to every version, also to those whose orders it ends. */
function wrongWithOrders(accepted: readonly Accepted[], before: State, after: State): string | null {
  const orders = accepted.map(({ sent }) => sent as { readonly version?: string; readonly state: unknown });
  for (const [version, state] of Object.entries(after.orders)) {
    const some = orders.filter((order) => order.version === undefined || order.version === version);
    const possible = some.length > 0 ? some.map((order) => order.state) : [before.orders[version]];
    if (!possible.includes(state)) return `the order to ${JSON.stringify(version)} is ${state}`;
  }
  return null;
}
