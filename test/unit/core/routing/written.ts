/** Random routes and requests, and what the contract says of them: an oracle that shares nothing with the table. */
import fc from "fast-check";
import type { PathMatcher } from "../../../../src/core/routing/matcher.ts";
import { type Asked, criterion, entry, pathOf } from "./support.ts";

/** What a document would say. */
export interface Written {
  readonly host: string | null;
  readonly kind: PathMatcher["kind"];
  readonly text: string;
  readonly methods: readonly string[] | null;
  readonly headers: readonly string[];
  readonly query: readonly string[];
}

// --- The oracle: scan every entry, sort what fits by the words of the contract ---------------------------------------

/** Place of the route that wins; null: none. */
export function oracle(written: readonly Written[], asked: Required<Asked>): number | null {
  const fitting = [...written.keys()].filter((index) => failing(written[index]!, asked) === null);
  fitting.sort((a, b) => outranks(written[a]!, written[b]!) || a - b);
  return fitting[0] ?? null;
}

/** The first criterion that does not hold; null: all do. */
export function failing(one: Written, asked: Required<Asked>): "host" | "path" | "method" | "header" | "query" | null {
  const path = asked.path.replaceAll("%61", "a").replaceAll("%2f", "%2F");
  const host =
    one.host === null || one.host === asked.host || (one.host[0] === "*" && asked.host.endsWith(one.host.slice(1)));
  if (!host) return "host";
  if (!asExpression(one).test(path)) return "path";
  if (one.methods?.includes(asked.method) === false) return "method";
  if (!one.headers.every((name) => name in asked.headers)) return "header";
  return one.query.every((name) => name in asked.query) ? null : "query";
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
  return deciding(a, b)?.[1] ?? 0;
}

/** What decides between two that fit, and the difference: negative when `a` wins; null: the order in the document. */
export function deciding(
  a: Written,
  b: Written,
): readonly ["host" | "path" | "method" | "header" | "query", number] | null {
  const hostClass = ({ host }: Written) => (host === null ? 2 : host[0] === "*" ? 1 : 0);
  const kinds = ["exact", "pattern", "prefix", "regex"];
  const differences = [
    ["host", hostClass(a) - hostClass(b)],
    ["host", (b.host?.length ?? 0) - (a.host?.length ?? 0)],
    ["path", Number(b.kind === "exact") - Number(a.kind === "exact")],
    ["path", literals(b) - literals(a)],
    ["path", kinds.indexOf(a.kind) - kinds.indexOf(b.kind)],
    ["method", Number(a.methods === null) - Number(b.methods === null)],
    ["header", b.headers.length - a.headers.length],
    ["query", b.query.length - a.query.length],
  ] as const;
  return differences.find(([, difference]) => difference !== 0) ?? null;
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
export const written: fc.Arbitrary<Written> = fc
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
export const asked: fc.Arbitrary<Required<Asked>> = fc.record({
  method: fc.constantFrom("GET", "PUT"),
  host: fc.constantFrom("a.b.test", "b.test", "x.y.b.test", "other"),
  path: joined(fc.constantFrom("a", "b", "%61", "__proto__", "a%2fb", ""), 4, [""]),
  headers: present("h1", "h2"),
  query: present("q1", "q2"),
});

/** As the compiler would make it; the place is its name and its order. */
export function entryOf(one: Written, index: number) {
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
