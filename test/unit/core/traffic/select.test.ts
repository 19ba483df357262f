import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import type { Conditions } from "../../../../src/core/traffic/condition.ts";
import { bucketOf } from "../../../../src/core/traffic/hash.ts";
import { selectVersion } from "../../../../src/core/traffic/select.ts";
import { splitThresholds } from "../../../../src/core/traffic/split.ts";
import type {
  SelectionContext,
  SplitRule,
  TrafficRule,
  VersionSource,
  WhenRule,
} from "../../../../src/core/traffic/types.ts";
import { factsOf, type RequestSketch } from "../keys/facts.ts";

const versions = new Set(["v1", "v2", "v3"]);

function context(sketch: RequestSketch = {}, more: Partial<SelectionContext> = {}): SelectionContext {
  return {
    facts: factsOf(sketch),
    params: {},
    route: "users",
    versionExists: (version) => versions.has(version),
    hasOrigin: () => true,
    random: () => {
      throw new Error("drawn");
    },
    ...more,
  };
}

const from = (
  source: VersionSource,
  onUnknown: "reject" | "next" = "reject",
  onEmpty: "error" | "next" = "error",
): TrafficRule => ({
  kind: "versionFrom",
  source,
  onUnknown,
  onEmpty,
});
const fixed = (version: string, onEmpty: "error" | "next" = "error"): TrafficRule => ({
  kind: "version",
  version,
  onEmpty,
});
const nothing: Conditions = {
  criteria: [],
  methods: null,
  countries: null,
  regions: null,
  colos: null,
  ipMatches: null,
};
const whenMethod = (method: string, version: string, onEmpty: "error" | "next" = "error"): WhenRule => ({
  kind: "when",
  conditions: { ...nothing, methods: new Set([method]) },
  version,
  onEmpty,
});
function split(weights: Readonly<Record<string, number>>, more: Partial<SplitRule> = {}): SplitRule {
  return {
    kind: "split",
    versions: Object.keys(weights),
    thresholds: splitThresholds(Object.values(weights)),
    stickyBy: [],
    salt: "salt",
    onEmpty: "error",
    ...more,
  };
}

describe("versionFrom", () => {
  test.each<[VersionSource, Partial<SelectionContext>, string]>([
    [{ kind: "header", name: "api-version" }, { facts: factsOf({ headers: { "api-version": "v2" } }) }, "header"],
    [{ kind: "query", name: "v" }, { facts: factsOf({ query: { v: "v2" } }) }, "query"],
    [{ kind: "cookie", name: "v" }, { facts: factsOf({ cookies: { v: "v2" } }) }, "cookie"],
    [{ kind: "param", name: "v" }, { params: { v: "v2" } }, "param"],
    [{ kind: "accept" }, { facts: factsOf({ headers: { accept: 'a/b, a/c;version="v2"' } }) }, "accept"],
  ])("%j takes the version and is the reason", (source, request, reason) => {
    expect(selectVersion([fixed("v1")].with(0, from(source)), context({}, request))).toEqual({
      kind: "version",
      version: "v2",
      reason,
      rule: 0,
    });
    expect(selectVersion([from(source)], context())).toEqual({ kind: "none" });
  });

  const header = { kind: "header", name: "api-version" } as const;

  test("an empty value does not apply", () => {
    expect(selectVersion([from(header), fixed("v1")], context({ headers: { "api-version": "" } }))).toMatchObject({
      version: "v1",
      rule: 1,
    });
  });

  test("an unknown version is rejected, or left to the following rules", () => {
    const request = context({ headers: { "api-version": "v9" } });
    expect(selectVersion([from(header), fixed("v1")], request)).toEqual({ kind: "rejected", version: "v9", rule: 0 });
    expect(selectVersion([from(header, "next"), fixed("v1")], request)).toMatchObject({
      version: "v1",
      rule: 1,
      reason: "version",
    });
    expect(selectVersion([from(header, "next")], request)).toEqual({ kind: "none" });
  });

  test("a path parameter is never something inherited", () => {
    expect(selectVersion([from({ kind: "param", name: "constructor" })], context())).toEqual({ kind: "none" });
  });
});

describe("when and version", () => {
  test("a rule whose conditions do not hold is passed over", () => {
    const rules = [whenMethod("POST", "v2"), fixed("v1")];
    expect(selectVersion(rules, context({ method: "POST" }))).toEqual({
      kind: "version",
      version: "v2",
      reason: "when",
      rule: 0,
    });
    expect(selectVersion(rules, context())).toEqual({ kind: "version", version: "v1", reason: "version", rule: 1 });
  });

  test("a version of the document is chosen even when nobody has registered it", () => {
    expect(selectVersion([fixed("v9")], context({}, { hasOrigin: () => false }))).toMatchObject({ version: "v9" });
  });

  test("no rules choose nothing", () => {
    expect(selectVersion([], context())).toEqual({ kind: "none" });
  });
});

describe("onEmpty", () => {
  const noV2 = { hasOrigin: (version: string) => version !== "v2" };

  test.each<[string, TrafficRule]>([
    ["versionFrom", from({ kind: "header", name: "api-version" }, "reject", "next")],
    ["when", whenMethod("GET", "v2", "next")],
    ["version", fixed("v2", "next")],
    ["split", split({ v2: 1 }, { onEmpty: "next", stickyBy: [{ kind: "route" }] })],
  ])("next: a %s without a usable origin leaves it to the following rules", (_, rule) => {
    const sketch = { headers: { "api-version": "v2" } };
    expect(selectVersion([rule, fixed("v1")], context(sketch, noV2))).toMatchObject({ version: "v1", rule: 1 });
    expect(selectVersion([rule], context(sketch, noV2))).toEqual({ kind: "none" });
    expect(selectVersion([rule, fixed("v1")], context(sketch))).toMatchObject({ version: "v2", rule: 0 });
  });

  test("error: the version stays, and origins are not asked for", () => {
    const request = context({}, { hasOrigin: () => expect.unreachable() });
    expect(selectVersion([fixed("v2"), fixed("v1")], request)).toMatchObject({ version: "v2", rule: 0 });
  });
});

describe("split", () => {
  const sticky = split({ v1: 95, v2: 5 }, { stickyBy: [{ kind: "header", name: "x-user" }, { kind: "ip" }] });

  test("a key decides by its hash, and again the same", () => {
    for (let user = 0; user < 500; user++) {
      const request = context({ headers: { "x-user": `u${user}` } });
      const bucket = bucketOf("salt", `u${user}`);
      const entry = bucket < 9_500 ? 0 : 1;
      const selection = { kind: "version", version: ["v1", "v2"][entry], reason: "sticky", rule: 0, bucket, entry };
      expect(selectVersion([sticky], request)).toEqual(selection);
      expect(
        selectVersion([sticky], context({ headers: { "x-user": `u${user}` }, clientIp: `192.0.2.${user % 250}` })),
      ).toEqual(selection);
    }
  });

  test("the next source decides when the first is absent", () => {
    expect(selectVersion([sticky], context({ clientIp: "192.0.2.7" }))).toMatchObject({
      bucket: bucketOf("salt", "192.0.2.7"),
    });
  });

  test.each<[number, string, number, number]>([
    [0, "v1", 0, 0],
    [0.9499, "v1", 9499, 0],
    [0.95, "v2", 9500, 1],
    [1 - Number.EPSILON / 2, "v2", 9999, 1],
  ])("without a key the draw %d gives %s", (random, version, bucket, entry) => {
    const selection = { kind: "version", version, reason: "split", rule: 0, bucket, entry };
    expect(selectVersion([sticky], context({}, { random: () => random }))).toEqual(selection);
    expect(
      selectVersion([{ ...sticky, stickyBy: [] }], context({ clientIp: "192.0.2.7" }, { random: () => random })),
    ).toEqual(selection);
  });

  test("weight 0 is never drawn, wherever it stands, and stays reachable by a rule above", () => {
    const rules = [whenMethod("POST", "zero"), split({ zero: 0, v1: 1, nought: 0, v2: 1, nil: 0 })];
    const drawn = new Set<unknown>();
    for (let bucket = 0; bucket < bounds.splitBuckets; bucket++) {
      const selection = selectVersion(rules, context({}, { random: () => (bucket + 0.5) / bounds.splitBuckets }));
      drawn.add(selection.kind === "version" && selection.version);
    }
    expect(drawn).toEqual(new Set(["v1", "v2"]));
    expect(selectVersion(rules, context({ method: "POST" }))).toMatchObject({ version: "zero" });
  });

  test("two entries of one version are told apart", () => {
    const rule: SplitRule = { ...split({}), versions: ["v1", "v1"], thresholds: splitThresholds([1, 1]) };
    expect(selectVersion([rule], context({}, { random: () => 0.7 }))).toMatchObject({ version: "v1", entry: 1 });
  });
});

describe("the first rule that applies decides", () => {
  /** A rule together with what it should answer, said independently of the code under test. */
  interface Case {
    readonly rule: TrafficRule;
    readonly outcome: { readonly version: string; readonly reason: string } | "rejected" | null;
  }
  const versionOf = fc.constantFrom("v1", "v2", "v3", "v8", "v9");
  const onEmpty = fc.constantFrom("error", "next");
  const cases: fc.Arbitrary<Case> = fc.oneof(
    fc
      .record({ sent: fc.option(versionOf), onUnknown: fc.constantFrom("reject", "next"), onEmpty, name: fc.uuid() })
      .map(({ sent, onUnknown, onEmpty, name }) => ({
        rule: from({ kind: "header", name: sent === null ? name : `send-${sent}` }, onUnknown, onEmpty),
        outcome:
          sent === null
            ? null
            : versions.has(sent)
              ? { version: sent, reason: "header" }
              : onUnknown === "reject"
                ? ("rejected" as const)
                : null,
      })),
    fc.record({ fits: fc.boolean(), version: versionOf, onEmpty }).map(({ fits, version, onEmpty }) => ({
      rule: whenMethod(fits ? "GET" : "PUT", version, onEmpty),
      outcome: fits ? { version, reason: "when" } : null,
    })),
    fc.record({ version: versionOf, onEmpty }).map(({ version, onEmpty }) => ({
      rule: fixed(version, onEmpty),
      outcome: { version, reason: "version" },
    })),
    fc.record({ version: versionOf, onEmpty }).map(({ version, onEmpty }) => ({
      rule: split({ zero: 0, [version]: 3 }, { onEmpty, stickyBy: [{ kind: "global" }] }),
      outcome: { version, reason: "sticky" },
    })),
  );

  test("as an oracle says that looks at each rule alone", () => {
    const headers = Object.fromEntries(["v1", "v2", "v3", "v8", "v9"].map((version) => [`send-${version}`, version]));
    fc.assert(
      fc.property(fc.array(cases, { maxLength: 8 }), fc.subarray(["v1", "v2", "v3", "v8", "v9"]), (list, usable) => {
        const decides = ({ rule, outcome }: Case) =>
          outcome !== null && (outcome === "rejected" || rule.onEmpty === "error" || usable.includes(outcome.version));
        const index = list.findIndex(decides);
        const outcome = list[index]?.outcome ?? "none";
        const selection = selectVersion(
          list.map(({ rule }) => rule),
          context({ headers }, { hasOrigin: (version) => usable.includes(version) }),
        );
        if (typeof outcome === "string") expect(selection.kind).toBe(outcome);
        else expect(selection).toMatchObject({ kind: "version", ...outcome, rule: index });
      }),
      { numRuns: 2000 },
    );
  });
});
