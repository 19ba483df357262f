/** Which origin: each policy over 1, 10 and 1,000 origins. */
import { noteResponse } from "../../../src/core/balancing/ewma.ts";
import { type BalancingPolicy, balancers, chooseOrigin } from "../../../src/core/balancing/index.ts";
import { ended, newLoadState, started, totalInFlight } from "../../../src/core/balancing/load.ts";
import { noteOrigins } from "../../../src/core/balancing/slow-start.ts";
import { usableAmong } from "../../../src/core/balancing/usable.ts";
import type { Case } from "../measure.ts";
import { byTurns, newRandom } from "./facts.ts";

const sizes = [1, 10, 1_000];
const policies = Object.keys(balancers) as BalancingPolicy[];
const nobody: ReadonlySet<string> = new Set();

const originsOf = (count: number, weightOf: (index: number) => number = () => 1) =>
  Array.from({ length: count }, (_, index) => ({
    id: `users-${index}.example.com`,
    weight: weightOf(index),
    zone: index % 2 === 0 ? "eu" : "us",
    state: "up",
  }));

type Given = Partial<Parameters<typeof chooseOrigin>[0]>;

/** A choice, with the book-keeping around it, among origins that all have answered and some of which are busy. */
function pickCase(
  name: string,
  policy: BalancingPolicy,
  origins: ReturnType<typeof originsOf>,
  given: Given = {},
): Case {
  const state = newLoadState();
  noteOrigins(state, new Set(origins.map(({ id }) => id)), 0);
  for (const { id } of origins) noteResponse(state, id, 20, 0);
  for (const { id } of origins.slice(0, 20)) started(state, id);
  const random = newRandom();
  const key = byTurns((index) => `user-${index}`);
  return {
    name,
    run: (index) => {
      const hashKey = policy === "consistent-hash" ? key(index) : null;
      const base = { policy, origins, state, tried: nobody, random, hashKey, slowStartMs: 0, nowMs: 1_000 };
      return chooseOrigin({ ...base, ...given });
    },
  };
}

export function balancing(): Case[] {
  const equal = policies.flatMap((policy) =>
    sizes.map((size) => pickCase(`pick ${policy}, ${size} origins`, policy, originsOf(size))),
  );
  const weighted = originsOf(1_000, (index) => 1 + (index % 5));
  const unequal = policies.map((policy) => pickCase(`pick ${policy}, 1000 origins of 5 weights`, policy, weighted));
  const retry = pickCase("pick random, 1000 origins, one tried", "random", originsOf(1_000), {
    tried: new Set(["users-7.example.com"]),
  });
  return [...equal, ...unequal, retry, coldKeys(), ...usable(), ...load()];
}

/** Every request has a key that was never seen. */
function coldKeys(): Case {
  const origins = originsOf(1_000);
  const base = { origins, state: newLoadState(), tried: nobody, random: newRandom(), slowStartMs: 0, nowMs: 1_000 };
  return {
    name: "pick consistent-hash, 1000 origins, new keys",
    run: (index) => chooseOrigin({ ...base, policy: "consistent-hash", hashKey: `user-${index}` }),
  };
}

function usable(): Case[] {
  return sizes.flatMap((size) => {
    const origins = originsOf(size);
    const ejected: ReadonlySet<string> = new Set(["users-3.example.com"]);
    const isUnhealthy = (origin: (typeof origins)[number]) => origin.state === "unhealthy";
    const ask = (out: ReadonlySet<string>, zone: string | null) => () =>
      usableAmong(origins, isUnhealthy, out, zone, nobody);
    return [
      { name: `usable, ${size} origins, all good`, run: ask(nobody, null) },
      { name: `usable, ${size} origins, one ejected`, run: ask(ejected, null) },
      { name: `usable in a zone, ${size} origins`, run: ask(nobody, "eu") },
    ];
  });
}

/** What is noted around a try, while 1,000 origins have requests under way. */
function load(): Case[] {
  const state = newLoadState();
  const ids = originsOf(1_000).map(({ id }) => id);
  for (const id of ids) started(state, id);
  const idOf = byTurns((index) => ids[index]!);
  const around = (index: number) => {
    started(state, idOf(index));
    noteResponse(state, idOf(index), 20, index);
    ended(state, idOf(index), state.turn);
    return state;
  };
  return [
    { name: "load started, response, ended", run: around },
    { name: "load totalInFlight, 1000 origins", run: () => totalInFlight(state) },
  ];
}
