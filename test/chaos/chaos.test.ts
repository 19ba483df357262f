/** The short form of `npm run chaos`: one part after the other, as two would starve each other on two cores. */
import { describe, expect, it } from "vitest";
import { cycleMsMax, playCycles } from "./cycles.ts";
import { idleCycles, idleSoak, idleStorm } from "./idle.ts";
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
      expect(idleCycles(played)).toEqual([]);
    },
    cyclesMsMax,
  );

  it("origins killed, paused, slow and cutting: every failure is theirs, and traffic returns to them", async () => {
    const struck = await storm(() => {});
    console.info(stormTable(struck));
    expect(struck.flatMap(({ breaches }) => breaches)).toEqual([]);
    expect(idleStorm(struck)).toEqual([]);
  }, 240_000);

  it(
    `${soakSeconds} s of load and faults: no failure that no fault explains, nothing thrown`,
    async () => {
      const soaked = await soak(soakSeconds, seed);
      console.info(soakLines(soaked));
      expect(soakBreaches(soaked)).toEqual([]);
      expect(idleSoak(soaked)).toEqual([]);
    },
    soakSeconds * 1_000 + 60_000,
  );
});
