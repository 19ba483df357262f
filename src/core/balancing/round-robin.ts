/** `round-robin`: each origin its share, spread as evenly as whole requests allow. */
import type { Pool } from "./pool.ts";
import { drawByWeight } from "./random.ts";
import type { Balancer, Candidate, LoadState } from "./types.ts";

/** Whose turn it is among candidates, for one service in one isolate. */
export interface Rotation {
  readonly state: LoadState;
  readonly candidates: readonly Candidate[];
  readonly groups: readonly Group[];
  /** Who was drawn to be the first; null once it was. */
  drawn: Group | null;
}

/** Candidates of one weight, who take turns. */
interface Group {
  /** What all of them earn with each request. */
  readonly share: number;
  /** Indices of the candidates in the order of their turns. */
  readonly members: readonly number[];
  /** How far they are together behind (> 0) or ahead (< 0) of their share, in requests. */
  credit: number;
  /** Place in `members` of whose turn is next. */
  next: number;
}

/**
 * nginx's smooth weighted round-robin over groups of candidates of the same weight, with turns in each: the work goes by the
 * number of different weights, not of origins. Every group earns its share, the richest is chosen and pays one request. The
 * credits are in requests, not in weights as in nginx, so that credits from before a change of the weights stay small.
 */
export const roundRobin: Balancer = (pool, { state, random }) => {
  if (pool.rotation?.state !== state) pool.rotation = newRotation(pool, state, random);
  const { rotation } = pool;
  state.rotation = rotation;
  let best = rotation.groups[0]!;
  for (const group of rotation.groups) {
    group.credit += group.share;
    if (group.credit > best.credit) best = group;
  }
  best = rotation.drawn ?? best;
  rotation.drawn = null;
  best.credit -= 1;
  const index = best.members[best.next]!;
  best.next = best.next + 1 < best.members.length ? best.next + 1 : 0;
  return pool.candidates[index]!;
};

/** Goes on where the service's last rotation is, though that had other origins or weights: each gets what it was owed. */
function newRotation(pool: Pool<Candidate>, state: LoadState, random: () => number): Rotation {
  const { candidates } = pool;
  const credits = state.rotation === null ? new Map<string, number>() : creditsOf(state.rotation);
  const creditOf = (index: number) => credits.get(candidates[index]!.id) ?? 0;
  const byWeight = new Map<number, number[]>();
  for (const [index, { weight }] of candidates.entries()) {
    const same = byWeight.get(weight);
    if (same === undefined) byWeight.set(weight, [index]);
    else same.push(index);
  }
  const groups = [...byWeight].map(([weight, indices]): Group => {
    const members = indices.sort((a, b) => creditOf(b) - creditOf(a));
    const credit = members.reduce((sum, index) => sum + creditOf(index), 0);
    return { share: (weight * members.length) / pool.total, members, credit, next: 0 };
  });
  const isNew = !candidates.some(({ id }) => credits.has(id));
  const drawn = isNew ? drawFirst(groups, drawByWeight(pool, random), random) : null;
  return { state, candidates, groups, drawn };
}

/**
 * Draws who is the first of each group, and which group is: isolates are many and short-lived, and would otherwise all begin
 * with the same origins.
 */
function drawFirst(groups: readonly Group[], first: number, random: () => number): Group {
  for (const group of groups) group.next = Math.floor(random() * group.members.length);
  const drawn = groups.find(({ members }) => members.includes(first))!;
  drawn.next = drawn.members.indexOf(first);
  return drawn;
}

/** The credit of each: an even part of its group's, and more the sooner its turn comes. */
function creditsOf({ candidates, groups }: Rotation): Map<string, number> {
  const credits = new Map<string, number>();
  for (const { members, credit, next } of groups) {
    for (const [place, index] of members.entries()) {
      const turnsAway = (place - next + members.length) % members.length;
      credits.set(candidates[index]!.id, (credit + (members.length - 1) / 2 - turnsAway) / members.length);
    }
  }
  return credits;
}
