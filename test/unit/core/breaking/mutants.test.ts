/** The checkers bite: each planted fault is found within a few hundred schedules that the real code passes. */
import { describe, expect, test } from "vitest";
import type { Breaker } from "../../../../src/core/breaking/breaker.ts";
import type { Known, Sense } from "../../../../src/core/breaking/sense-state.ts";
import type {
  BreakerSettings,
  Cell,
  HealthReply,
  HealthReport,
  PublishedHealth,
} from "../../../../src/core/breaking/types.ts";
import { searchIn } from "../../../support/mutants.ts";
import { scenarios } from "./simulation-scenarios.ts";

const breachesWith = searchIn("breaking", scenarios, 300, () => import("./simulation.ts"));

type Reply = (sense: Sense, report: HealthReport, reply: HealthReply, askedAtMs: number, nowMs: number) => void;
type Judge = (breaker: Breaker, settings: BreakerSettings, cells: readonly Cell[], ...rest: unknown[]) => void;

const timeoutMs = 60_000;

describe("the simulation finds an object", { timeout: timeoutMs }, () => {
  test("that forgets to raise the generation", async () => {
    const found = await breachesWith("faulty", "breaker.ts", (real: { open: (...args: unknown[]) => void }) => ({
      open: (breaker: Breaker, ...rest: unknown[]) => {
        real.open(breaker, ...rest);
        breaker.generation -= 1;
      },
    }));
    expect(found).toContain("B1");
  });

  test("that answers before its row is durable", async () => {
    const found = await breachesWith("faulty", "report.ts", (real: { report: (...args: unknown[]) => object }) => ({
      report: (...args: unknown[]) => ({ ...real.report(...args), changed: false }),
    }));
    expect(found).toContain("B1");
  });

  test("whose row has no permits", async () => {
    const found = await breachesWith(
      "faulty",
      "book.ts",
      (real: { rowOf: (...args: unknown[]) => { breakers: object[] } }) => ({
        rowOf: (...args: unknown[]) => {
          const row = real.rowOf(...args);
          return { ...row, breakers: row.breakers.map((breaker) => ({ ...breaker, permits: [] })) };
        },
      }),
    );
    expect(found).toContain("B2");
  });

  test("that counts late results, of another generation", async () => {
    const found = await breachesWith("faulty", "breaker.ts", (real: { judge: Judge }) => ({
      judge: (breaker: Breaker, settings: BreakerSettings, cells: readonly Cell[], ...rest: unknown[]) =>
        real.judge(
          breaker,
          settings,
          cells.map((cell) => ({ ...cell, generation: breaker.generation })),
          ...rest,
        ),
    }));
    expect(found.some((rule) => rule === "B3" || rule === "B4")).toBe(true);
  });

  test("that counts a report each time it comes", async () => {
    const found = await breachesWith("faulty", "isolates.ts", (real: { isFirst: (...args: unknown[]) => boolean }) => ({
      isFirst: (...args: unknown[]) => {
        real.isFirst(...args);
        return true;
      },
    }));
    expect(found).toContain("B3");
  });

  test("whose permits never end", async () => {
    const found = await breachesWith("faulty", "breaker.ts", (real: { tickBreaker: (...args: unknown[]) => void }) => ({
      tickBreaker: (breaker: Breaker, ...rest: unknown[]) => {
        if (breaker.state !== "half-open") real.tickBreaker(breaker, ...rest);
      },
    }));
    expect(found).toContain("B7");
  });

  test("that lets counts open what an operator has closed", async () => {
    const found = await breachesWith("ordered", "breaker.ts", (real: { judge: Judge }) => ({
      judge: (breaker: Breaker, settings: BreakerSettings, cells: readonly Cell[], ...rest: unknown[]) => {
        const { forced } = breaker;
        breaker.forced = "auto";
        real.judge(breaker, settings, cells, ...rest);
        breaker.forced = forced;
      },
    }));
    expect(found).toContain("B6");
  });
});

describe("the simulation finds an isolate", { timeout: timeoutMs }, () => {
  test("that takes a second answer to a report", async () => {
    const found = await breachesWith("faulty", "sense-report.ts", (real: { replied: Reply }) => ({
      replied: (sense: Sense, report: HealthReport, ...rest: [HealthReply, number, number]) => {
        sense.flight = report;
        real.replied(sense, report, ...rest);
      },
    }));
    expect(found).toContain("B2");
  });

  test("that keeps permits past their time", async () => {
    const found = await breachesWith("faulty", "sense-report.ts", (real: { replied: Reply }) => ({
      replied: (sense: Sense, report: HealthReport, reply: HealthReply, ...rest: [number, number]) =>
        real.replied(
          sense,
          report,
          { ...reply, probes: reply.probes.map((probe) => ({ ...probe, useWithinMs: 60_000 })) },
          ...rest,
        ),
    }));
    expect(found).toContain("B2");
  });

  test("that takes over an older view", async () => {
    const found = await breachesWith(
      "faulty",
      "sense-adopt.ts",
      (real: { learn: (sense: Sense, view: PublishedHealth, nowMs: number) => void }) => ({
        learn: (sense: Sense, view: PublishedHealth, nowMs: number) => {
          sense.revision = -1;
          real.learn(sense, view, nowMs);
        },
      }),
    );
    expect(found).toContain("B1");
  });

  test("that tells the counts of a failed report again", async () => {
    const found = await breachesWith(
      "faulty",
      "sense-report.ts",
      (real: { failed: (sense: Sense, report: HealthReport, ...rest: unknown[]) => void }) => ({
        failed: (sense: Sense, report: HealthReport, ...rest: unknown[]) => {
          if (sense.flight === report) {
            sense.cells.push(...report.cells.map((cell) => ({ ...cell, slot: 0, beganAtMs: sense.reportedAtMs })));
          }
          real.failed(sense, report, ...rest);
        },
      }),
    );
    expect(found).toContain("B3");
  });

  test("that takes an open breaker for closed when its time is over", async () => {
    const found = await breachesWith(
      "faultless",
      "sense-state.ts",
      (real: { knownOf: (sense: Sense, version: string) => Known }) => ({
        knownOf: (sense: Sense, version: string) => {
          const known = real.knownOf(sense, version);
          return known.state === "half-open" ? { ...known, state: "closed" } : known;
        },
      }),
    );
    expect(found).toContain("B5");
  });

  test("that does not hear of orders", async () => {
    const found = await breachesWith(
      "ordered",
      "sense-adopt.ts",
      (real: { adopt: (sense: Sense, published: PublishedHealth | null, nowMs: number) => void }) => ({
        adopt: (sense: Sense, published: PublishedHealth | null, nowMs: number) => {
          const auto = published?.breakers.map((view) => ({ ...view, forced: "auto" as const }));
          real.adopt(sense, published && { ...published, forced: "auto", breakers: auto ?? [] }, nowMs);
        },
      }),
    );
    expect(found.length).toBeGreaterThan(0);
  });

  test("that never says what became of a probe that hangs, nor gives permits back", async () => {
    const found = await breachesWith(
      "faultless",
      "sense-report.ts",
      (real: { takeReport: (sense: Sense, ...rest: unknown[]) => HealthReport }) => ({
        takeReport: (sense: Sense, ...rest: unknown[]) => {
          const { unused, running } = sense;
          sense.unused = [];
          sense.running = [];
          const report = real.takeReport(sense, ...rest);
          Object.assign(sense, { unused, running });
          return report;
        },
      }),
    );
    expect(found).toContain("B2");
  });

  test("whose own breaker does not hear of its probe", async () => {
    const found = await breachesWith("faulty", "local.ts", () => ({ endProbe: () => {} }));
    expect(found).toContain("B7");
  });

  test("nothing in the code as it is", async () => {
    for (const family of Object.keys(scenarios) as (keyof typeof scenarios)[]) {
      expect(await breachesWith(family, "limits.ts", () => ({}))).toEqual([]);
    }
  });
});
