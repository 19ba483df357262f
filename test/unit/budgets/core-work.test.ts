/** What a request may cost in the core, in steps that can be counted: no time is measured here. */
import { describe, expect, test } from "vitest";
import { type BalancingPolicy, balancers, chooseOrigin } from "../../../src/core/balancing/index.ts";
import { newLoadState, started, totalInFlight } from "../../../src/core/balancing/load.ts";
import { noteOrigins } from "../../../src/core/balancing/slow-start.ts";
import { usableAmong } from "../../../src/core/balancing/usable.ts";
import { exactPath, prefixPath } from "../../../src/core/routing/matcher.ts";
import { buildRouteTable, matchRoute } from "../../../src/core/routing/table.ts";
import { seededRandom } from "../core/balancing/random.ts";
import { entry, factsOf, pattern } from "../core/routing/support.ts";

/** Host groups, trie nodes and entries that a match may look at, of a path of three segments. */
const stepsMax = 7;
/** Origins that a choice may look at, once its array is known: two draws, each of which may look past the next one. */
const originsLookedAtMax = 4;
const noneTried: ReadonlySet<string> = new Set();

describe("a match", () => {
  const shapes = {
    exact: (n: number) => exactPath(`/r${n}/users/1`),
    prefix: (n: number) => prefixPath(`/r${n}/users`),
    pattern: (n: number) => pattern(`/r${n}/users/:id`),
  };
  test.each(Object.entries(shapes))(
    `of an %s path takes at most ${stepsMax} steps, of 10 to 10,000 routes`,
    (_, path) => {
      const steps = [10, 1_000, 10_000].map((count) => {
        const routes = Array.from({ length: count }, (_, n) => entry(`r${n}`, { path: path(n), order: n }));
        const { match, examined } = matchRoute(buildRouteTable(routes), factsOf({ path: `/r${count - 1}/users/1` }));
        expect(match?.entry.route).toBe(`r${count - 1}`);
        return examined;
      });
      expect(new Set(steps).size).toBe(1);
      expect(steps[0]).toBeLessThanOrEqual(stepsMax);
    },
  );
});

/** Origins that count how many of them are looked at. */
class Watched {
  private readonly seen = new Set<number>();
  readonly origins: readonly { readonly id: string; readonly weight: number; readonly zone: string | null }[];

  constructor(count: number, weightOf: (index: number) => number) {
    this.origins = Array.from({ length: count }, (_, index) => {
      const origin = { id: `o${index}`, weight: weightOf(index), zone: index % 2 === 0 ? "eu" : "us" };
      return new Proxy(origin, { get: (target, key) => this.look(index, Reflect.get(target, key)) });
    });
  }

  private look<T>(index: number, value: T): T {
    this.seen.add(index);
    return value;
  }

  /** How many were looked at during the call. */
  during(call: () => void): number {
    this.seen.clear();
    call();
    return this.seen.size;
  }
}

const weights: readonly (readonly [string, (index: number) => number])[] = [
  ["equal weights", () => 1],
  ["five weights", (index) => 1 + (index % 5)],
  ["weights that all differ", (index) => 1 + index],
];
const cases = (Object.keys(balancers) as BalancingPolicy[]).flatMap((policy) =>
  weights.map(([name, weightOf]) => ({ policy, name, weightOf })),
);

describe.each(cases)("$policy among 1,000 origins of $name", ({ policy, weightOf }) => {
  const random = seededRandom(1);
  const choiceOf = (watched: Watched, rest: { tried?: ReadonlySet<string>; slowStartMs?: number } = {}) => {
    const state = newLoadState();
    const hashKey = policy === "consistent-hash" ? "user-1" : null;
    const base = {
      policy,
      origins: watched.origins,
      state,
      tried: noneTried,
      random,
      hashKey,
      slowStartMs: 0,
      nowMs: 5,
    };
    return { ...base, ...rest };
  };

  test(`looks at most at ${originsLookedAtMax} after the first choice`, () => {
    const watched = new Watched(1_000, weightOf);
    const choice = choiceOf(watched);
    expect(watched.during(() => void chooseOrigin(choice))).toBe(1_000);
    for (let request = 0; request < 200; request++) {
      const looked = watched.during(() => void started(choice.state, chooseOrigin(choice)!.id));
      expect(looked).toBeLessThanOrEqual(originsLookedAtMax);
    }
  });

  test("looks at no more while some are in their slow start", () => {
    const watched = new Watched(1_000, weightOf);
    const choice = choiceOf(watched, { slowStartMs: 60_000 });
    noteOrigins(choice.state, new Set(["o0"]), 0);
    noteOrigins(choice.state, new Set(watched.origins.map(({ id }) => id)), 1);
    chooseOrigin(choice);
    const looked = watched.during(() => void chooseOrigin(choice));
    expect(looked).toBeLessThanOrEqual(originsLookedAtMax);
  });
});

test("a retry looks at few origins too", () => {
  const watched = new Watched(1_000, () => 1);
  const base = { origins: watched.origins, state: newLoadState(), hashKey: null, slowStartMs: 0, nowMs: 0 };
  const choice = { ...base, random: seededRandom(2), tried: new Set(["o1", "o2"]) };
  for (const policy of ["round-robin", "random", "least-request", "ewma"] as const) {
    chooseOrigin({ ...choice, policy });
    const looked = watched.during(() => void chooseOrigin({ ...choice, policy }));
    // Another choice for each that was tried.
    expect(looked).toBeLessThanOrEqual(originsLookedAtMax * 3);
  }
});

test("a retry by key asks once who owns the key, before it asks who is left", () => {
  let asked = 0;
  const tried = new (class extends Set<string> {
    override has(id: string): boolean {
      asked++;
      return super.has(id);
    }
  })();
  const { origins } = new Watched(1_000, () => 1);
  const base = { origins, state: newLoadState(), slowStartMs: 0, nowMs: 0, random: seededRandom(2) };
  const choice = { ...base, policy: "consistent-hash", hashKey: "user-1" } as const;
  tried.add(chooseOrigin({ ...choice, tried: noneTried })!.id);
  chooseOrigin({ ...choice, tried });
  expect(asked).toBe(1 + origins.length);
});

test("which origins are usable is found once for each set of ejected ones and zone", () => {
  const watched = new Watched(1_000, () => 1);
  const isWell = () => false;
  for (const ejected of [noneTried, new Set(["o4"])]) {
    for (const zone of [null, "eu"]) {
      const ask = () => void usableAmong(watched.origins, isWell, ejected, zone, noneTried);
      ask();
      expect(watched.during(ask)).toBe(0);
    }
  }
});

test("requests under way are not added up", () => {
  const state = newLoadState();
  for (let index = 0; index < 1_000; index++) started(state, `o${index}`);
  const counts = [state.inFlight, state.older];
  for (const map of counts) map.values = () => expect.unreachable("looks at every origin");
  expect(totalInFlight(state)).toBe(1_000);
});
