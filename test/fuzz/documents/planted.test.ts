/** The fuzzers of documents find what is planted, and nothing where nothing is. */
import { describe, expect, it } from "vitest";
import { isSpotless, scanJson } from "../../../src/core/json/scan.ts";
import { Config } from "../../../src/schema/config.ts";
import { parseOriginUrl } from "../../../src/schema/origin-url.ts";
import { misfit, quickParser } from "../../../src/schema/quick.ts";
import { compileDocument } from "../../../src/snapshot/compile.ts";
import { configDocuments, type Subject } from "./config-documents.ts";
import { countedRegex, programFrom } from "./counted-regex.ts";
import { hunt, type Quarry } from "./hunt.ts";
import { originUrls } from "./origin-urls.ts";
import { regexes } from "./regexes.ts";

/** What the fuzzer says of the first finding. */
function firstOf<T>(quarry: Quarry<T>, inputs = 4_000): string | undefined {
  const { findings } = hunt(quarry, { inputs, seed: 7 });
  return findings[0]?.what;
}

describe("origin-urls", () => {
  const open = { allowPrivate: true };
  it("finds nothing in what there is", () => expect(firstOf(originUrls())).toBeUndefined());

  it.each<[string, typeof parseOriginUrl]>([
    ["takes IPv6 as it comes", (text, rules) => parseOriginUrl(text, text.includes("[") ? open : rules)],
    [
      "looks at the text instead of the host",
      (text) => parseOriginUrl(/\/(10|127|192\.168)\./.test(text) ? "" : text, open),
    ],
    ["forgets names", (text, rules) => parseOriginUrl(text, /internal|local/i.test(text) ? open : rules)],
    ["refuses what is public", (text, rules) => parseOriginUrl(text.includes("8.8") ? "" : text, rules)],
  ])("finds one that %s", (_, parse) => expect(firstOf(originUrls(parse))).toMatch(/accepted|refused/));
});

describe("regexes", () => {
  it("finds nothing in what there is", () => expect(firstOf(regexes(), 1_000)).toBeUndefined());

  it.each<[string, Parameters<typeof regexes>[0], RegExp]>([
    ["matches too much", (source) => countedRegex(source.replaceAll("+", "*")), /for RE2 it is not|RE2 does not agree/],
    ["accepts look-ahead", (source) => countedRegex(source.replaceAll("(?=", "(?:")), /RE2 does not agree/],
    ["throws", (source) => countedRegex(source, (text) => (text.includes("\\p") ? boom() : programFrom(text))), /boom/],
    ["works too much", (source) => ({ ...countedRegex(source), perCharacter: 0 }), /looks for a text/],
  ])("finds one that %s", (_, compile, what) => expect(firstOf(regexes(compile))).toMatch(what));
});

describe("config-documents", () => {
  const real: Subject = { scan: scanJson, isSpotless, quick: quickParser(Config), compile: compileDocument };
  const refusal = (detail: string) => ({ ok: false as const, total: 1, issues: [{ detail, pointer: "#" }] });
  it("finds nothing in what there is", () => expect(firstOf(configDocuments(), 500)).toBeUndefined());

  it.each<[string, Partial<Subject>, RegExp]>([
    [
      "does not see a name that comes twice",
      {
        scan: (text) => {
          const { issues, total } = scanJson(text);
          const rest = issues.filter(({ kind }) => kind !== "duplicate");
          return { issues: rest, total: total - issues.length + rest.length };
        },
      },
      /^the scan finds/,
    ],
    ["calls everything spotless", { isSpotless: () => true }, /^spotless with/],
    ["accepts everything quickly", { quick: (value) => value }, /Zod refuses|read different things/],
    ["refuses everything quickly", { quick: () => misfit }, /Zod accepts/],
    [
      "throws",
      { compile: (text, ...rest) => (text.includes("1e999") ? boom() : compileDocument(text, ...rest)) },
      /boom/,
    ],
    ["tells a secret", { compile: () => refusal(`not hidden-7f3a91`) }, /tells hidden/],
    ["tells where it failed", { compile: () => refusal("Cannot read properties of undefined") }, /tells Cannot/],
    ["refuses without a reason", { compile: () => ({ ok: false, total: 0, issues: [] }) }, /without a reason/],
    [
      "lets a document reach all objects",
      {
        compile: (...given) => {
          Reflect.set(Object.prototype, "isAdmin", true);
          return compileDocument(...given);
        },
      },
      /Object.prototype has got isAdmin/,
    ],
  ])("finds one that %s", (_, fault, what) => expect(firstOf(configDocuments({ ...real, ...fault }))).toMatch(what));
});

function boom(): never {
  throw new TypeError("boom");
}
