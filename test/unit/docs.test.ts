/** What the documentation says is so. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { generated } from "../../scripts/generated.ts";
import { errorKinds } from "../../src/errors.ts";
import { compileDocument } from "../../src/snapshot/compile.ts";

const root = new URL("../..", import.meta.url).pathname;
const read = (path: string) => readFileSync(join(root, path), "utf8");
const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...markdownIn("docs"),
  ...markdownIn("examples"),
];

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));
}

describe("docs/errors.md", () => {
  const headings = [...read("docs/errors.md").matchAll(/^### (\w+)\n\*\*(\d+)\.\*\*/gm)].map(([, code, status]) => ({
    code: code!,
    status: Number(status),
  }));

  it("has a heading for each code, with its status, and for nothing else", () => {
    const codes = Object.entries(errorKinds).map(([code, { status }]) => ({ code, status }));
    const byCode = (a: { code: string }, b: { code: string }) => (a.code < b.code ? -1 : 1);
    expect(headings.sort(byCode)).toEqual(codes.sort(byCode));
  });
});

describe("links", () => {
  const links = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to]) => ({ page, to: to! })),
  );

  it.each(links)("$page -> $to leads somewhere", ({ page, to }) => {
    expect(existsSync(join(root, dirname(page), to))).toBe(true);
  });
});

it("every test that the README names is there", () => {
  const named = [...read("README.md").matchAll(/`(test\/[^`]+)`/g)].map(([, path]) => path!);
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

describe("configurations in the documentation compile", () => {
  const fragments = pages.flatMap((page) =>
    [...read(page).matchAll(/^```jsonc?\n([\s\S]*?)^```/gm)].map(([, text]) => ({ page, text: text!.trim() })),
  );
  const wrapped = fragments.flatMap(({ page, text }) => {
    const route = { name: "r", service: "users" };
    if (text.startsWith('"traffic"')) {
      return [{ page, document: { services: { users: {} }, routes: [{ ...route, ...JSON.parse(`{${text}}`) }] } }];
    }
    if (text.startsWith('"rateLimits"') || text.startsWith('"gateway"'))
      return [{ page, document: JSON.parse(`{${text}}`) }];
    return text.startsWith('"services"') ? [{ page, document: { ...JSON.parse(`{${text}}`), routes: [route] } }] : [];
  });

  it("finds them", () => expect(wrapped.length).toBeGreaterThanOrEqual(2));

  it.each(wrapped)("$page", ({ page, document }) => {
    // Faults are always warned of.
    const warnings = page === "docs/faults.md" ? [{ pointer: "#/routes/0/faults" }] : [];
    expect(compileDocument(JSON.stringify(document), {})).toMatchObject({ ok: true, warnings });
  });
});

it.each(Object.entries(generated()))("%s is what `npm run generate` makes", (path, text) => {
  expect(read(path)).toBe(text);
});

it("the example of a canary compiles without a warning", () => {
  const text = read("examples/canary/sluice.json");
  expect(compileDocument(text, {})).toMatchObject({ ok: true, warnings: [] });
});
