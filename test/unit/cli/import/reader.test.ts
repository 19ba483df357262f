import { describe, expect, test } from "vitest";
import { EditsBuilder } from "../../../../cli/import/headers.ts";
import { nameOf, newNames } from "../../../../cli/import/names.ts";
import { newReader, type Part } from "../../../../cli/import/reader.ts";
import { isExpression } from "../../../../cli/import/regex.ts";

describe("the reader", () => {
  const notesOf = (document: unknown, read: (root: Part) => void) => {
    const reader = newReader([document], (name) => (name === "known" ? "A hint." : undefined));
    const [root] = reader.roots;
    if (root) read(root);
    return reader.finish().map(({ source, what, why, hint }) => [source.path.join("/"), why, what, hint]);
  };
  const nothing = "The result has nothing of it.";

  test("what nobody reads becomes a note, once for all that is below", () => {
    const document = { a: 1, b: { c: 2, d: [3, { e: 4 }] }, known: { f: 5 } };
    expect(notesOf(document, (root) => root.get("b").get("d").items()[0]?.number())).toEqual([
      ["a", "not supported", "a has no counterpart", nothing],
      ["b/c", "not supported", "c has no counterpart", nothing],
      ["b/d/1", "not supported", "d has no counterpart", nothing],
      ["known", "not supported", "known has no counterpart", "A hint."],
    ]);
  });
  test("nothing is said of null and of what is empty", () => {
    expect(notesOf({ a: null, b: [], c: {}, d: { e: [null] } }, () => {})).toEqual([]);
  });
  test("a value of another kind is noted and counts as absent", () => {
    const read: unknown[] = [];
    const notes = notesOf({ text: 1, number: "1", flag: 0, list: {}, object: [1] }, (root) => {
      read.push(root.get("text").text(), root.get("number").number(), root.get("flag").flag());
      read.push(root.get("list").items(), root.get("object").members());
    });
    expect(read).toEqual([undefined, undefined, undefined, [], []]);
    expect(notes.map(([path, , what]) => [path, what])).toEqual([
      ["text", "not a string"],
      ["number", "not a number"],
      ["flag", "not true or false"],
      ["list", "not a list"],
      ["object", "not an object"],
    ]);
  });
  test("a remark settles nothing, a bend does", () => {
    const notes = notesOf({ a: { b: 1 }, c: { d: 2 } }, (root) => {
      root.get("a").remark("near", "h");
      root.get("c").bend("near", "h");
    });
    expect(notes).toEqual([
      ["a", "approximated", "near", "h"],
      ["a", "not supported", "a has no counterpart", nothing],
      ["c", "approximated", "near", "h"],
    ]);
  });
  test("notes inside of what is gone are kept only where they are the reason", () => {
    const notes = notesOf({ a: { b: 1 }, c: { d: 2 } }, (root) => {
      root.get("a").get("b").drop("inside", "h");
      root.get("a").drop("gone", "h");
      root.get("c").get("d").drop("reason", "h");
      root.get("c").lose("lost", "h");
    });
    expect(notes.map(([path, , what]) => [path, what])).toEqual([
      ["a", "gone"],
      ["c", "lost"],
      ["c/d", "reason"],
    ]);
  });
  test("members of what is inherited are absent", () => {
    const [root] = newReader([{}], () => undefined).roots;
    expect(root?.get("constructor").exists).toBe(false);
  });
});

describe("names", () => {
  test.each([
    ["orders", "orders"],
    ["get/pets/{petId}", "get-pets-petId"],
    ["_route (the 1st)_", "route-the-1st-_"],
    ["ünïcode", "n-code"],
    ["--", ""],
    ["x".repeat(200), "x".repeat(128)],
  ])("%s becomes %s", (text, name) => {
    expect(nameOf(text)).toBe(name);
  });
  test("are unique, and never too long for being so", () => {
    const names = newNames("route");
    const given = ["a", "a", "a-2", "?", "!", "x".repeat(200), "x".repeat(200)].map(names);
    expect(new Set(given).size).toBe(given.length);
    expect(given.slice(0, 5)).toEqual(["a", "a-2", "a-2-2", "route", "route-2"]);
    expect(Math.max(...given.map(({ length }) => length))).toBe(128);
  });
});

test.each(["connection", "x-forwarded-for", "via", "a b"])("an edit of the request header %s is noted", (name) => {
  const reader = newReader([{ edit: "x" }], () => undefined);
  const at = reader.roots[0]?.get("edit");
  const builder = new EditsBuilder("request");
  if (at) builder.set(name, "v", at);
  expect(builder.done()).toBeUndefined();
  expect(reader.finish()).toHaveLength(1);
});

test("a value that would be read as a variable of the Worker is noted", () => {
  const reader = newReader([{ edit: "x" }], () => undefined);
  const at = reader.roots[0]?.get("edit");
  const builder = new EditsBuilder("response");
  if (at) {
    builder.add("x-a", `\${SECRET}`, at);
    builder.remove("content-length", at);
  }
  expect(builder.done()).toBeUndefined();
  expect(reader.finish()).toHaveLength(2);
});

test.each([
  ["/a(b|c)+", true],
  ["/(?P<id>[0-9]+)", true],
  ["", false],
  ["(", false],
  ["/(?!a)", false],
  ["(a)\\1", false],
  ["a".repeat(2_000), false],
])("is %s an expression of ours: %s", (source, expected) => {
  expect(isExpression(source)).toBe(expected);
});
