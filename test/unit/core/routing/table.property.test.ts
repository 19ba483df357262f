import fc from "fast-check";
import { expect, test } from "vitest";
import type { PathMatcher } from "../../../../src/core/routing/matcher.ts";
import { buildRouteTable } from "../../../../src/core/routing/table.ts";
import { type Asked, criterion, entry, pathOf, winner } from "./support.ts";

/** What a document would say, for an oracle that shares nothing with the table. */
interface Written {
  readonly host: string | null;
  readonly kind: PathMatcher["kind"];
  readonly text: string;
  readonly methods: readonly string[] | null;
  readonly headers: readonly string[];
  readonly query: readonly string[];
}

// --- The oracle: scan every entry, sort what fits by the words of the contract ---------------------------------------

function oracle(written: readonly Written[], asked: Required<Asked>): number | null {
  const path = asked.path.replaceAll("%61", "a").replaceAll("%2f", "%2F");
  const fitting = [...written.keys()].filter((index) => fitsAsWritten(written[index]!, asked, path));
  fitting.sort((a, b) => outranks(written[a]!, written[b]!) || a - b);
  return fitting[0] ?? null;
}

function fitsAsWritten(one: Written, asked: Required<Asked>, path: string): boolean {
  const host =
    one.host === null || one.host === asked.host || (one.host[0] === "*" && asked.host.endsWith(one.host.slice(1)));
  return (
    host &&
    asExpression(one).test(path) &&
    (one.methods?.includes(asked.method) ?? true) &&
    one.headers.every((name) => name in asked.headers) &&
    one.query.every((name) => name in asked.query)
  );
}

function asExpression({ kind, text }: Written): RegExp {
  switch (kind) {
    case "exact":
      return new RegExp(`^${text}$`);
    case "prefix":
      return new RegExp(`^${text.replace(/\/$/, "")}(/.*)?$`);
    case "pattern":
      return new RegExp(`^${text.replace(/\/\*$/, "(/.*)?").replace(/:\w+/g, "[^/]+")}$`);
    case "regex":
      return new RegExp(`^(?:${text})$`);
  }
}

/** Negative when `a` wins, 0 when only the order in the document is left. */
function outranks(a: Written, b: Written): number {
  const hostClass = ({ host }: Written) => (host === null ? 2 : host[0] === "*" ? 1 : 0);
  if (hostClass(a) !== hostClass(b)) return hostClass(a) - hostClass(b);
  if (a.host?.length !== b.host?.length) return b.host!.length - a.host!.length;
  if ((a.kind === "exact") !== (b.kind === "exact")) return a.kind === "exact" ? -1 : 1;
  if (literals(a) !== literals(b)) return literals(b) - literals(a);
  const kinds = ["exact", "pattern", "prefix", "regex"];
  if (a.kind !== b.kind) return kinds.indexOf(a.kind) - kinds.indexOf(b.kind);
  if ((a.methods === null) !== (b.methods === null)) return a.methods === null ? 1 : -1;
  return b.headers.length - a.headers.length || b.query.length - a.query.length;
}

function literals({ kind, text }: Written): number {
  if (kind === "pattern") return text.replace(/:\w+|\*/g, "").length;
  if (kind === "regex") return /^[/a-z]*/.exec(text)![0].length;
  return kind === "prefix" && text.length > 1 ? text.replace(/\/$/, "").length : text.length;
}

// --- Small alphabets, so that entries overlap --------------------------------------------------------------------------

const literal = fc.constantFrom("a", "b", "__proto__", "a%2Fb");
const joined = (segment: fc.Arbitrary<string>, maxLength: number, ends: readonly string[]) =>
  fc
    .tuple(fc.array(segment, { minLength: 1, maxLength }), fc.constantFrom(...ends))
    .map(([segments, end]) => `/${segments.join("/")}${end}`);

const pathText: fc.Arbitrary<Pick<Written, "kind" | "text">> = fc.oneof(
  fc.record({ kind: fc.constant("exact" as const), text: joined(literal, 3, ["", "/"]) }),
  fc.record({ kind: fc.constant("prefix" as const), text: fc.oneof(joined(literal, 3, ["", "/"]), fc.constant("/")) }),
  fc.record({
    kind: fc.constant("pattern" as const),
    text: joined(fc.constantFrom("a", "b", ":"), 3, ["", "/", "/*"]).map(nameParams),
  }),
  fc.record({
    kind: fc.constant("regex" as const),
    text: fc.constantFrom(
      "/a",
      "/a/.*",
      "/a|/b",
      "/a/?b?",
      "/(a|b)/.*",
      "/a/b/[^/]+",
      ".*",
      "/b/a*",
      "/a/b|.*/a",
      ".+/b",
    ),
  }),
);

function nameParams(text: string): string {
  let count = 0;
  return text.replace(/:/g, () => `:p${count++}`);
}

const names = (...all: string[]) => fc.oneof(fc.constant([]), fc.subarray(all));
const written: fc.Arbitrary<Written> = fc
  .record({
    host: fc.constantFrom(null, null, "a.b.test", "b.test", "*.b.test", "*.test"),
    methods: fc.constantFrom(null, null, ["GET"], ["GET", "PUT"]),
    headers: names("h1", "h2"),
    query: names("q1", "q2"),
    path: pathText,
  })
  .map(({ path, ...rest }) => ({ ...path, ...rest }));

const present = (...all: string[]) =>
  fc.subarray(all).map((chosen) => Object.fromEntries(chosen.map((name) => [name, "1"])));
const asked: fc.Arbitrary<Required<Asked>> = fc.record({
  method: fc.constantFrom("GET", "PUT"),
  host: fc.constantFrom("a.b.test", "b.test", "x.y.b.test", "other"),
  path: joined(fc.constantFrom("a", "b", "%61", "__proto__", "a%2fb", ""), 4, [""]),
  headers: present("h1", "h2"),
  query: present("q1", "q2"),
});

function entryOf(one: Written, index: number) {
  return entry(String(index), {
    host: one.host,
    path: pathOf[one.kind](one.text),
    methods: one.methods,
    criteria: [
      ...one.headers.map((name) => criterion("header", name)),
      ...one.query.map((name) => criterion("query", name)),
    ],
    order: index,
  });
}

test("the table finds what a scan by the words of the contract finds", () => {
  let matched = 0;
  fc.assert(
    fc.property(
      fc.array(written, { minLength: 1, maxLength: 30 }),
      fc.array(asked, { minLength: 10, maxLength: 20 }),
      (document, requests) => {
        const table = buildRouteTable(document.map(entryOf));
        for (const request of requests) {
          const expected = oracle(document, request);
          if (expected !== null) matched += 1;
          expect(winner(table, request)?.entry.order ?? null).toBe(expected);
        }
      },
    ),
    { numRuns: 400 },
  );
  // The alphabets must keep overlapping, or the test would compare nothing with nothing.
  expect(matched).toBeGreaterThan(1_000);
});
