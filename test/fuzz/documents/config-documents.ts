/** The document from its text to a match, in this process: scanner, quick parser, Zod, compiler, route table. */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import type * as z from "zod";
import { bounds } from "../../../src/bounds.ts";
import type { RequestFacts } from "../../../src/core/facts.ts";
import { isSpotless, scanJson } from "../../../src/core/json/scan.ts";
import { normalizeHost } from "../../../src/core/routing/host.ts";
import { matchRoute } from "../../../src/core/routing/table.ts";
import { Config } from "../../../src/schema/config.ts";
import { misfit, quickParser } from "../../../src/schema/quick.ts";
import { type CompileResult, compileDocument } from "../../../src/snapshot/compile.ts";
import type { Fuzzer } from "../fuzzer.ts";
import { damaged } from "./damage.ts";
import { hostile } from "./hostile.ts";
import { type Count, hunt, type Quarry } from "./hunt.ts";
import { leakIn, secrets } from "./leaks.ts";
import { smallConfigs, wholeConfig } from "./samples.ts";
import { flawsOf, parsed, textOf, type Written } from "./written.ts";

/** A document's text, and how it was made; null: by damage to the text, so that nothing is known of it. */
interface Input {
  readonly text: string;
  readonly written: Written | null;
}

const spaces = ["", "", "", " ", "\n\t\r "];
const written = fc.oneof(
  { arbitrary: damaged(smallConfigs), weight: 14 },
  { arbitrary: damaged([wholeConfig]), weight: 1 },
  { arbitrary: hostile, weight: 3 },
);
/** A character in the place of another, once in a while. */
const cut = fc.oneof(
  { arbitrary: fc.constant(null), weight: 9 },
  { arbitrary: fc.tuple(fc.nat(10_000), fc.constantFrom(...'{}[]",:\\\0x-1 ')), weight: 1 },
);
const inputs: fc.Arbitrary<Input> = fc.tuple(written, fc.constantFrom(...spaces), cut).map(([value, space, cut]) => {
  const text = textOf(value, space);
  if (cut === null) return { text, written: value };
  const at = cut[0] % (text.length + 1);
  return { text: text.slice(0, at) + cut[1] + text.slice(at + 1), written: null };
});

const variables = { ...secrets, URL: "https://a.example.com" };

/** What is under test; tests put faults in its place. */
export interface Subject {
  readonly scan: typeof scanJson;
  readonly isSpotless: typeof isSpotless;
  readonly quick: (value: unknown) => unknown;
  readonly compile: typeof compileDocument;
}
const real: Subject = { scan: scanJson, isSpotless, quick: quickParser(Config), compile: compileDocument };

/** What the fuzzer plays. */
export function configDocuments(subject: Subject = real): Quarry<Input> {
  const check = ({ text, written: from }: Input, count: Count) => {
    const compiled = subject.compile(text, variables);
    const wrong = wrongWithIssues(compiled);
    if (wrong) return wrong;
    const value = parsed(text);
    if (value === undefined) {
      count("not JSON");
      return compiled.ok ? "what is no JSON compiles" : null;
    }
    const flaws = from === null ? null : flawsOf(from, bounds.jsonDepthMax);
    if (flaws !== null && flaws.length > 0) count("flawed");
    return (
      (flaws && wrongWithScan(subject, text, value, flaws)) ??
      (flaws?.length === 0 ? wrongWithValue(subject, value, text, compiled, count) : null)
    );
  };
  return { inputs, check, show: ({ text }) => (text.length > 2_000 ? `${text.slice(0, 2_000)}...` : text) };
}

function wrongWithIssues(compiled: CompileResult): string | null {
  const issues = compiled.ok ? compiled.warnings : compiled.issues;
  if (!compiled.ok && (issues.length === 0 || compiled.total < issues.length)) return "refused without a reason";
  if (issues.length > bounds.issuesMax) return `${issues.length} issues`;
  for (const { detail, pointer } of issues) {
    if (detail === "" || !/^#(\/|$)/.test(pointer))
      return `an issue without a place or a reason: ${pointer}: ${detail}`;
    const leak = leakIn(detail);
    if (leak) return `an issue tells ${leak}: ${detail}`;
  }
  return null;
}

function wrongWithScan(subject: Subject, text: string, value: unknown, flaws: readonly string[]): string | null {
  const { issues, total } = subject.scan(text);
  const found = issues.map(({ kind }) => kind);
  if (total !== flaws.length || !isDeepStrictEqual(found, flaws.slice(0, bounds.issuesMax)))
    return `the scan finds ${found.join()} of ${flaws.join()}`;
  return flaws.length > 0 && subject.isSpotless(text, value) ? `spotless with ${flaws.join()}` : null;
}

function wrongWithValue(
  subject: Subject,
  value: unknown,
  text: string,
  compiled: CompileResult,
  count: Count,
): string | null {
  const quick = subject.quick(value);
  if (!isDeepStrictEqual(value, JSON.parse(text))) return "the quick parser changes the document";
  const zod: z.ZodSafeParseResult<unknown> = Config.safeParse(value);
  if (zod.success !== (quick !== misfit))
    return `Zod ${zod.success ? "accepts" : "refuses"}, the quick parser does not`;
  if (zod.success && !isDeepStrictEqual(zod.data, quick)) return "the quick parser and Zod read different things";
  const compact = JSON.stringify(value);
  if (compact !== text && subject.compile(compact, variables).ok !== compiled.ok)
    return "how it is written decides whether it compiles";
  count(compiled.ok ? "compiled" : zod.success ? "refused by meaning" : "refused by shape");
  return compiled.ok ? wrongWithMatches(compiled, text) : null;
}

const asked = [
  "/",
  "/api/users",
  "/a/../%2e%2e/%00",
  `/a${"b".repeat(4_000)}/1`,
  "/users".repeat(500),
  "/__proto__/constructor",
];
const hosts = ["api.example.com", "[::1]", "__proto__", `${"a.".repeat(100)}example.com`];

function wrongWithMatches({ config }: CompileResult & { ok: true }, text: string): string | null {
  for (const [index, path] of asked.entries()) {
    const host = normalizeHost(hosts[index % hosts.length]!);
    const { match, examined } = matchRoute(config.table, factsOf(path, host));
    if (examined > text.length + 100)
      return `a match examines ${examined} places of a document of ${text.length} characters`;
    if (match && Object.getPrototypeOf(match.params) !== null) return "parameters of a path have a prototype";
  }
  return null;
}

function factsOf(path: string, host: string): RequestFacts {
  const text = (name: string) => (name === "constructor" ? "" : "ab".repeat(500));
  const unknown = { clientIp: "192.0.2.1", continent: null, country: null, region: null, colo: null };
  return { method: "GET", host, path, header: text, query: text, cookie: text, ...unknown };
}

export const configDocumentsFuzzer: Fuzzer = {
  name: "config-documents",
  about: "hostile documents: scan, quick parser against Zod, compiling, matching",
  aims: { compiled: 0.1, flawed: 0.1, "refused by shape": 0.1 },
  start: async () => ({ run: async (plan) => hunt(configDocuments(), plan), stop: async () => {} }),
};
