/** Takes over what the object has decided, from the snapshot or an answer: never anything older than what is known. */
import { type Known, knownOf, type Sense } from "./sense-state.ts";
import type { BreakerView, PublishedHealth } from "./types.ts";

/**
 * Takes over the view of a snapshot, null: it has none. Its times may be old, so a breaker that is heard of for the first
 * time makes a report due, for the answer. Cheap when nothing is new.
 */
export function adopt(sense: Sense, published: PublishedHealth | null, nowMs: number): void {
  if (published === null || published === sense.seen) return;
  sense.seen = published;
  if (published.revision <= sense.revision) return;
  const before = sense.breakers;
  learn(sense, published, nowMs);
  for (const [version, { generation, state, forced, closedAtMs }] of sense.breakers) {
    const isNew = generation !== before.get(version)?.generation;
    if (isNew && forced === "auto" && (state !== "closed" || closedAtMs !== null)) sense.isAsking = true;
  }
}

/** Takes over a view, unless it is older than what is known. One that is not older may have better times. */
export function learn(sense: Sense, view: PublishedHealth, nowMs: number): void {
  if (view.revision < sense.revision) return;
  sense.revision = view.revision;
  const known = view.breakers.map((one): [string, Known] => [one.version, moments(one, sense.breakers, nowMs)]);
  sense.breakers = new Map(known);
  sense.others = { ...sense.others, forced: view.forced };
  dropVoid(sense);
  eject(
    sense,
    view.ejected.map(({ origin, forMs }) => ({ origin, untilMs: nowMs + forMs })),
    nowMs,
  );
}

/** In one generation the earlier of two moments is the better one, for a view is never from later than its arrival. */
function moments(view: BreakerView, known: Sense["breakers"], nowMs: number): Known {
  const { version, state, generation, forced, openForMs, recoveringForMs } = view;
  const old = known.get(version);
  const same = old?.generation === generation ? old : undefined;
  const untilMs = Math.min(nowMs + openForMs, same?.untilMs ?? Number.POSITIVE_INFINITY);
  const sinceMs = nowMs - (recoveringForMs ?? 0);
  const closedAtMs = recoveringForMs === null ? null : Math.min(sinceMs, same?.closedAtMs ?? sinceMs);
  return { state, generation, forced, untilMs, closedAtMs };
}

/** The object's decision stands for that of the isolate, and permits are good in their generation only. */
function dropVoid(sense: Sense): void {
  for (const [version, { generation }] of sense.locals) {
    const known = knownOf(sense, version);
    const isOwn = known.generation === generation && known.state === "closed" && known.forced === "auto";
    if (!isOwn) sense.locals.delete(version);
  }
  const isGood = (of: { version: string; generation: number }) => isCurrent(sense, of);
  if (sense.unused.length > 0) sense.unused = sense.unused.filter(isGood);
  if (sense.running.length > 0) sense.running = sense.running.filter(isGood);
  if (sense.results.length > 0) sense.results = sense.results.filter(isGood);
  for (const version of sense.wants.keys()) if (knownOf(sense, version).state === "closed") sense.wants.delete(version);
}

/** Is a permit or its result of the generation that the version is in? It is half-open then: a generation has one state. */
export function isCurrent(sense: Sense, of: { readonly version: string; readonly generation: number }): boolean {
  return knownOf(sense, of.version).generation === of.generation;
}

function eject(sense: Sense, ejections: Sense["ejections"], nowMs: number): void {
  const left = ejections.filter(({ untilMs }) => nowMs < untilMs);
  sense.ejections = left;
  // Which origins are usable is known by the set, and most replies change nothing in it.
  const isSame = left.length === sense.ejected.size && left.every(({ origin }) => sense.ejected.has(origin));
  if (!isSame) sense.ejected = new Set(left.map(({ origin }) => origin));
  sense.ejectedUntilMs = Math.min(...left.map(({ untilMs }) => untilMs));
}

/** Origins that are taken out now; the same set as long as they are the same. */
export function ejectedOf(sense: Sense, nowMs: number): ReadonlySet<string> {
  if (nowMs >= sense.ejectedUntilMs) eject(sense, sense.ejections, nowMs);
  return sense.ejected;
}
