/** docs/threat-model.md names tests that are there, and every way in. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("../..", import.meta.url).pathname;
const read = (path: string) => readFileSync(join(root, path), "utf8");
const page = read("docs/threat-model.md");
const sectionOf = (heading: string) => page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? "";
const rowsOf = (section: string) =>
  section.split("\n").filter((line) => /^\| (?!---)/.test(line) && !/^\| (threat|call) \|/.test(line));

const threats = rowsOf(sectionOf("Threats"));
const tests = threats.flatMap((row) =>
  [...row.matchAll(/\[(test\/[^\]]+)\]\(\.\.\/([^)]+)\) `([^`]+)`/g)].map(([, file, link, title]) => ({
    file: file!,
    link: link!,
    title: title!,
  })),
);

describe("the threat model", () => {
  it("has a test for each threat", () => {
    expect(threats.length).toBeGreaterThan(30);
    expect(threats.filter((row) => !/\]\(\.\.\/test\//.test(row))).toEqual([]);
    expect(tests.length).toBe([...page.matchAll(/\]\(\.\.\/test\//g)].length);
  });

  it.each(tests)("$file has $title", ({ file, link, title }) => {
    expect(link).toBe(file);
    expect(existsSync(join(root, file))).toBe(true);
    const text = read(file);
    expect(['"', "`"].some((quote) => text.includes(quote + title + quote))).toBe(true);
  });

  it("names every call of the admin API among the entry points, and no other", () => {
    const described = readdirSync(join(root, "src/admin"))
      .flatMap((file) => [
        ...read(`src/admin/${file}`).matchAll(/describeCall\(\{\s*method: "(\w+)",\s*path: "([^"]+)"/g),
      ])
      .map(([, method, path]) => `${method!.toUpperCase()} /_sluice${path}`);
    const named = rowsOf(sectionOf("Entry points")).flatMap((row) =>
      [...row.split("|")[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
    );
    const documents = ["openapi.json", "schema.json", "docs"].map((name) => `GET /_sluice/${name}`);
    expect(described.length).toBeGreaterThan(20);
    expect(named.sort()).toEqual([...described, ...documents].sort());
  });
});
