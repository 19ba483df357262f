/** The short form of `npm run chaos`: one part after the other, as two would starve each other on two cores. */
import { describe, expect, it } from "vitest";
import { cycleMsMax, playCycles } from "./cycles.ts";
import { originCount } from "./harmed.ts";
import { limitNames } from "./limits.ts";
import { cyclesTable, limitsTable, soakBreaches, soakLines, stormTable } from "./report.ts";
import { soak } from "./soak.ts";
import { storm } from "./storm.ts";

const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);
const cycles = 4;
/** As long again: at the end of a month they wait for the next. */
const cyclesMsMax = 2 * cycles * cycleMsMax;
const soakSeconds = Number(process.env.CHAOS_SOAK_SECONDS ?? 120);

describe(`CHAOS_SEED=${seed}`, () => {
  it(
    `${cycles} times killed under load: nothing acknowledged is lost, no limit exceeded`,
    async () => {
      const played = await playCycles(cycles, seed, () => {});
      console.info(`${cyclesTable(played)}\n${limitsTable(played)}`);
      expect(played.flatMap(({ breaches }) => breaches)).toEqual([]);
      const sum = (of: (cycle: (typeof played)[number]) => number) =>
        played.reduce((total, each) => total + of(each), 0);
      expect(sum(({ acknowledged: { config } }) => config)).toBeGreaterThan(0);
      expect(sum(({ acknowledged: { origins } }) => origins)).toBeGreaterThan(cycles);
      expect(sum(({ acknowledged: { orders } }) => orders)).toBeGreaterThan(cycles);
      const { shares } = played.at(-1)!;
      const mostUsed = (some: typeof shares) => Math.max(...some.map(({ used }) => used));
      // What is hardly used cannot be exceeded; of each limit what was leased or under way at a kill is gone.
      expect(mostUsed(shares)).toBeGreaterThan(0.8);
      for (const limit of limitNames)
        expect(mostUsed(shares.filter(({ name }) => name === limit)), limit).toBeGreaterThan(0.3);
    },
    cyclesMsMax,
  );

  it("origins killed, paused, slow and cutting: every failure is theirs, and traffic returns to them", async () => {
    const struck = await storm(() => {});
    console.info(stormTable(struck));
    expect(struck.flatMap(({ breaches }) => breaches)).toEqual([]);
    for (const { kind, origins, bare, retried } of struck) {
      expect(bare, `${kind} of ${origins} was felt`).toBeGreaterThan(0);
      // What was cut off after its head went to the client cannot be sent again.
      if (origins < originCount && kind !== "cut") expect(retried, kind).toBe(0);
    }
  }, 240_000);

  it(
    `${soakSeconds} s of load and faults: no failure that no fault explains, nothing thrown`,
    async () => {
      const soaked = await soak(soakSeconds, seed);
      console.info(soakLines(soaked));
      expect(soakBreaches(soaked)).toEqual([]);
      expect(soaked.faults).toBeGreaterThan(0);
    },
    soakSeconds * 1_000 + 60_000,
  );
});
