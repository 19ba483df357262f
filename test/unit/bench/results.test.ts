import { describe, expect, it, vi } from "vitest";
import { billOf, naive } from "../../../bench/figures/bill.ts";
import { activeMsOf, sizesIn } from "../../../bench/figures/bundle.ts";
import { readOptions } from "../../../bench/options.ts";
import { replaceSection } from "../../../bench/results.ts";
import { capnpOf, jsonValue, textValue } from "../../../bench/servers/capnp.ts";
import { verdict } from "../../../bench/targets.ts";

describe("the verdict", () => {
  const goal = { must: 1.3, after: 1.12 };

  it("tells what is reached, what holds and what is missed; the bounds are within", () => {
    expect([1.12, 1.13, 1.3, 1.31].map((value) => verdict(value, goal))).toEqual([
      "reached",
      "holds",
      "holds",
      "MISSED",
    ]);
  });

  it("turns round where more is better", () => {
    const more = { must: 2_000, after: 10_000, isMore: true };
    expect([10_000, 2_000, 1_999].map((value) => verdict(value, more))).toEqual(["reached", "holds", "MISSED"]);
  });

  it("is none without a goal, and none without a figure", () => {
    expect(verdict(1, undefined)).toBe("");
    expect(verdict(null, goal)).toBe("no figure");
  });
});

describe("the bill per million requests", () => {
  it("of one call and one row each is $1.15 more than the requests, beside the duration", () => {
    const { total, duration } = billOf(naive);
    expect(total - duration).toBeCloseTo(1.45);
  });

  it("without objects is that of the requests", () => {
    expect(billOf({ name: "none", calls: 0, rows: 0, seconds: 0 }).total).toBe(0.3);
  });

  it("has the duration of objects of 128 MB", () => {
    expect(billOf({ name: "long", calls: 0, rows: 0, seconds: 1 }).duration).toBeCloseTo(1.6);
  });
});

describe("what wrangler tells", () => {
  it("has both sizes", () => {
    expect(sizesIn("x\nTotal Upload: 1723.94 KiB / gzip: 350.48 KiB\ny")).toEqual({ raw: 1723.94, gzip: 350.48 });
    expect(() => sizesIn("nothing")).toThrow();
  });

  it("has the time in which the profiled isolate was not idle", () => {
    const nodes = ["(root)", "(idle)", "(program)", "start"].map((functionName, id) => ({
      id,
      callFrame: { functionName },
    }));
    expect(activeMsOf({ nodes, samples: [1, 2, 3, 3, 1], timeDeltas: [50_000, 1_000, 2_000, 500, 9_000] })).toBe(3.5);
  });
});

describe("the section of the README", () => {
  const text = "a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nb\n";

  it("is replaced and nothing else is, as often as one likes", () => {
    const once = replaceSection(text, "new\n");
    expect(once).toBe("a\n<!-- bench:begin -->\nnew\n<!-- bench:end -->\nb\n");
    expect(replaceSection(once, "new\n")).toBe(once);
  });

  it("has to be marked", () => {
    expect(() => replaceSection("a", "new")).toThrow("bench:begin");
  });
});

describe("the command line", () => {
  it("without anything means everything, by the protocol", () => {
    const { cases, figures, rounds, seconds } = readOptions([]);
    expect(cases.length).toBeGreaterThan(10);
    expect(figures).toContain("counted");
    expect([rounds, seconds]).toEqual([7, 5]);
  });

  it("names cases or figures, and then nothing else is done", () => {
    const { cases, figures } = readOptions(["--only", "plain,minimal"]);
    expect(cases.map(({ name }) => name)).toEqual(["minimal", "plain"]);
    expect(figures).toEqual([]);
    expect(readOptions(["--figures", "cold"]).cases).toEqual([]);
  });

  it("is quick unless numbers are given too", () => {
    const { rounds, seconds } = readOptions(["--quick", "--seconds", "4"]);
    expect([rounds, seconds]).toEqual([3, 4]);
  });

  it.each([
    ["--only", "nonsense"],
    ["--figures", "nonsense"],
    ["--rounds", "0"],
    ["--rounds", "1.5"],
  ])("refuses %s %s", (...args) => {
    const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    // An exit of a test's process throws.
    expect(() => readOptions(args)).toThrow('"2"');
    expect(told).toHaveBeenCalledWith(expect.stringContaining(`'${args[0]} `));
    told.mockRestore();
  });
});

describe("the configuration of workerd", () => {
  const part = {
    name: "w",
    file: "w.js",
    bindings: { A: textValue('"\n'), B: jsonValue({ a: 1 }) },
    classes: [],
    listens: true,
  };
  const runtime = { compatibilityDate: "2026-01-01", compatibilityFlags: ["some_flag"], disk: "/tmp/x" };

  it("quotes what is a text", () => {
    const text = capnpOf([part], runtime);
    expect(text).toContain(String.raw`(name = "A", text = "\"\n")`);
    expect(text).toContain(String.raw`(name = "B", json = "{\"a\":1}")`);
  });

  it("lets nothing listen but on loopback, and only what is asked to", () => {
    const text = capnpOf([part, { ...part, name: "quiet", listens: false }], runtime);
    expect(text.match(/address = "[^"]*"/g)).toEqual(['address = "127.0.0.1:0"']);
  });

  it("gives a Worker with objects a disk, and one without none", () => {
    expect(capnpOf([part], runtime)).not.toContain("localDisk");
    expect(capnpOf([{ ...part, classes: ["C"] }], runtime)).toContain('className = "C"');
    expect(capnpOf([{ ...part, classes: ["C"] }], runtime)).toContain('localDisk = "disk"');
  });
});
