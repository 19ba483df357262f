import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { type Conditions, holds } from "../../../../src/core/traffic/condition.ts";
import { explainSelection, unmetText } from "../../../../src/core/traffic/explain.ts";
import { selectVersion } from "../../../../src/core/traffic/select.ts";
import { entryOf, splitThresholds } from "../../../../src/core/traffic/split.ts";
import type { SplitRule, TrafficRule } from "../../../../src/core/traffic/types.ts";
import { factsOf, type RequestSketch } from "../keys/facts.ts";

const show = (text: string) => (text === "secret" ? `\${VAR}` : text);
const nothing: Conditions = {
  criteria: [],
  methods: null,
  countries: null,
  regions: null,
  colos: null,
  ipMatches: null,
};
const context = (sketch: RequestSketch = {}) => ({
  facts: factsOf(sketch),
  params: {},
  route: "users",
  versionExists: (version: string) => version !== "v9",
  hasOrigin: (version: string) => version !== "v3",
});
const explain = (rules: readonly TrafficRule[], sketch: RequestSketch = {}) =>
  explainSelection(rules, context(sketch), show);

function split(weights: readonly number[], more: Partial<SplitRule> = {}): SplitRule {
  const versions = weights.map((_, index) => `v${index + 1}`);
  return {
    ...{ kind: "split", versions, thresholds: splitThresholds(weights), stickyBy: [], salt: "s", onEmpty: "error" },
    ...more,
  };
}

// --- Random rules and requests ---------------------------------------------------------------------------------------

const version = fc.constantFrom("v1", "v2", "v3", "v9");
const onEmpty = fc.constantFrom("error" as const, "next" as const);
/** Half of the time null: were all parts of conditions mostly there, hardly any would hold. */
const setOf = (...members: string[]) =>
  fc.option(
    fc.subarray(members, { minLength: 1 }).map((some) => new Set(some)),
    { freq: 1 },
  );
const conditions: fc.Arbitrary<Conditions> = fc.record({
  criteria: fc.subarray([
    { source: "header" as const, name: "x", kind: "exact" as const, expected: "1" },
    { source: "cookie" as const, name: "c", kind: "present" as const, expected: "true" },
  ]),
  methods: setOf("GET", "PUT"),
  countries: setOf("NO", "DK"),
  regions: setOf("03"),
  colos: setOf("OSL"),
  ipMatches: fc.constantFrom(null, null, (ip: string) => ip.startsWith("10.")),
});
const rule: fc.Arbitrary<TrafficRule> = fc.oneof(
  fc.record({
    kind: fc.constant("versionFrom" as const),
    source: fc.constantFrom({ kind: "header" as const, name: "v" }, { kind: "accept" as const }),
    onUnknown: fc.constantFrom("reject" as const, "next" as const),
    onEmpty,
  }),
  fc.record({ kind: fc.constant("when" as const), conditions, version, onEmpty }),
  fc.record({ kind: fc.constant("version" as const), version, onEmpty: fc.constant("next" as const) }),
  fc
    .record({
      weights: fc
        .array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 })
        .filter((weights) => weights.some((weight) => weight > 0)),
      stickyBy: fc.constantFrom([], [{ kind: "header" as const, name: "user" }]),
      onEmpty,
    })
    .map(({ weights, ...more }) => split(weights, more)),
);
const sketch: fc.Arbitrary<RequestSketch> = fc.record(
  {
    method: fc.constantFrom("GET", "PUT", "POST"),
    headers: fc.record(
      {
        x: fc.constantFrom("1", "2"),
        v: fc.constantFrom("v1", "v3", "v9", ""),
        accept: fc.constantFrom("a/b;version=v2", "a/b;version=v9"),
        user: fc.constantFrom("ann", "bob", "cy"),
      },
      { requiredKeys: [] },
    ),
    cookies: fc.record({ c: fc.constant("1") }, { requiredKeys: [] }),
    clientIp: fc.constantFrom("10.0.0.1", "192.0.2.1"),
    country: fc.constantFrom("NO", "SE"),
    region: fc.constantFrom("03", "04"),
    colo: fc.constantFrom("OSL", "ARN"),
  },
  { requiredKeys: [] },
);

function middleOfWidest({ thresholds }: SplitRule): number {
  const ranges = thresholds.map((to, index) => ({ from: thresholds[index - 1] ?? 0, to }));
  const [{ from, to }] = ranges.toSorted((a, b) => b.to - b.from - (a.to - a.from)) as [(typeof ranges)[number]];
  return (from + to) / 2 / bounds.splitBuckets;
}

test("what is explained is what is selected; a draw is explained by an entry that it can hit", () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), sketch, (rules, request) => {
      const { selection, passed, split: decided } = explain(rules, request);
      // The same draws for the real selection: each split without a key hits the middle of its widest interval.
      const isSticky = (one: SplitRule) => one.stickyBy.length > 0 && request.headers?.user !== undefined;
      const draws = rules.flatMap((one) => (one.kind === "split" && !isSticky(one) ? [middleOfWidest(one)] : []));
      const real = selectVersion(rules, { ...context(request), random: () => draws.shift()! });
      expect(selection).toEqual(real);
      const stop = real.kind === "none" ? rules.length : real.rule;
      expect(passed.map((one) => one.rule)).toEqual(Array.from({ length: stop }, (_, index) => index));
      for (const { why } of passed) expect(why).toMatch(/\S/);
      if (decided === null || !("entry" in selection)) return;
      const { from, to } = decided.ranges[selection.entry]!;
      expect(selection.bucket).toBeGreaterThanOrEqual(from);
      expect(selection.bucket).toBeLessThan(to);
      expect(decided.bucket).toBe(selection.reason === "sticky" ? selection.bucket : null);
      expect(
        entryOf(
          decided.ranges.map((range) => range.to),
          selection.bucket,
        ),
      ).toBe(selection.entry);
    }),
    { seed: 1, numRuns: 1_000 },
  );
});

test("a condition is called unmet exactly when the conditions do not hold", () => {
  const seen = { held: 0, unmet: 0 };
  fc.assert(
    fc.property(conditions, sketch, (some, request) => {
      const unmet = unmetText(some, factsOf(request), show);
      seen[unmet === null ? "held" : "unmet"] += 1;
      expect(unmet === null).toBe(holds(some, factsOf(request)));
    }),
    { seed: 1, numRuns: 1_000 },
  );
  // Both have come up often.
  expect(Math.min(seen.held, seen.unmet)).toBeGreaterThan(50);
});

describe("says why a rule was passed", () => {
  const from = (kind: "header" | "accept"): TrafficRule => ({
    ...{ kind: "versionFrom", source: kind === "accept" ? { kind } : { kind, name: "v" } },
    ...{ onUnknown: "next", onEmpty: "next" },
  });
  const when = (part: Partial<Conditions>): TrafficRule => ({
    ...{ kind: "when", conditions: { ...nothing, ...part }, version: "v1", onEmpty: "error" },
  });
  test.each<[TrafficRule, RequestSketch, string]>([
    [from("header"), {}, "header v is absent"],
    [from("header"), { headers: { v: "" } }, "header v is empty"],
    [from("header"), { headers: { v: "v9" } }, 'header v is "v9", which no origin has and the document does not name'],
    [from("header"), { headers: { v: "v3" } }, "no origin of v3 is usable"],
    [from("accept"), {}, "the version parameter of Accept is absent"],
    [when({ methods: new Set(["PUT", "POST"]) }), { method: "GET" }, "method is GET, want PUT or POST"],
    [when({ methods: new Set(["GET"]), countries: new Set(["NO"]) }), { country: "SE" }, "country is SE, want NO"],
    [when({ countries: new Set(["NO"]) }), {}, "country is unknown, want NO"],
    [when({ regions: new Set(["secret"]) }), { region: "04" }, `region is 04, want \${VAR}`],
    [when({ colos: new Set(["OSL"]) }), { colo: "ARN" }, "colo is ARN, want OSL"],
    [when({ ipMatches: () => false }), { clientIp: "10.0.0.1" }, "ip is 10.0.0.1, in none of the ranges"],
    [when({ ipMatches: () => true }), { clientIp: null }, "ip is unknown, in none of the ranges"],
    [
      when({ criteria: [{ source: "cookie", name: "beta", kind: "prefix", expected: "secret" }] }),
      { cookies: { beta: "2" } },
      `cookie beta is "2", want prefix \${VAR}`,
    ],
    [split([0, 0, 1], { onEmpty: "next" }), {}, "no origin of v3 is usable"],
  ])("%j", (one, request, why) => {
    expect(explain([one], request)).toEqual({ selection: { kind: "none" }, passed: [{ rule: 0, why }], split: null });
  });
});

test("a sticky split says its key as the document has it, the bucket and who has which buckets", () => {
  const rule = split([95, 5], { stickyBy: [{ kind: "header", name: "x-user" }, { kind: "ip" }] });
  const ranges = [
    { version: "v1", from: 0, to: 9_500 },
    { version: "v2", from: 9_500, to: 10_000 },
  ];
  const byHeader = explain([rule], { headers: { "x-user": "ann" } });
  expect(byHeader.split).toEqual({
    key: { source: "header:x-user", value: "ann" },
    bucket: expect.any(Number),
    ranges,
  });
  expect(explain([rule], { clientIp: "10.0.0.1" }).split?.key).toEqual({ source: "ip", value: "10.0.0.1" });
  const secret = split([95, 5], { stickyBy: [{ kind: "cookie", name: "secret" }] });
  expect(explain([secret], { cookies: { secret: "1" } }).split?.key).toEqual({ source: `cookie:\${VAR}`, value: "1" });
  const drawn = explain([rule], { clientIp: null });
  expect(drawn).toMatchObject({ selection: { version: "v1", reason: "split" }, split: { key: null, bucket: null } });
});
