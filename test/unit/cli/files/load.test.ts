import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limits } from "../../../../cli/files/limits.ts";
import { load } from "../../../../cli/files/load.ts";
import { readSource } from "../../../../cli/files/read.ts";
import { bounds } from "../../../../src/bounds.ts";
import { said } from "./support.ts";

const files: Record<string, string> = {
  "a.yaml": "services:\n  users: {}\nroutes:\n  - name: x\n    service: users\n",
  "b.json": '{"gateway": {"debugHeaders": true}, "routes": [{"name": "y", "service": "users"}]}',
  "staging.yaml": "gateway: {debugHeaders: false}\nroutes:\n  - {name: x, hosts: [staging.example]}\n",
  "night.yaml": "gateway: {debugHeaders: null, echoRequestId: true}\n---\nroutes: [{name: y, $remove: true}]\n",
  "wrong.yaml": "a: [\nb: 1\na: 2",
  "wrong.json": "{,}",
  "empty.yaml": "# nothing yet\n",
  "many.yaml": Array.from({ length: 2 * bounds.issuesMax }, (_, index) => `k${index}: .inf`).join("\n"),
  "-": "services: {orders: {}}",
};
const read = async (path: string) =>
  path in files ? { name: path === "-" ? "stdin" : path, text: files[path]! } : "no such file";
const loadOf = (paths: string[], overlays: string[] = []) => load({ files: paths, overlays }, read);

async function problems(paths: string[], overlays: string[] = []): Promise<string[]> {
  const result = await loadOf(paths, overlays);
  return result.ok ? [] : said(result.problems);
}

test("files are joined and overlays applied in their order", async () => {
  const result = await loadOf(["a.yaml", "b.json", "-"], ["staging.yaml", "night.yaml", "empty.yaml"]);
  if (!result.ok) throw new Error(said(result.problems).join());
  expect(result.document).toEqual({
    gateway: { echoRequestId: true },
    services: { users: {}, orders: {} },
    routes: [{ name: "x", service: "users", hosts: ["staging.example"] }],
  });
  expect(result.text).toBe(
    '{"gateway":{"echoRequestId":true},"routes":[{"hosts":["staging.example"],"name":"x","service":"users"}],"services":{"orders":{},"users":{}}}',
  );
  expect(result.locate("/routes/0/hosts/0")).toEqual({ file: "staging.yaml", line: 3, column: 23 });
  expect(result.locate("#/routes/0/service")).toEqual({ file: "a.yaml", line: 5, column: 14 });
  expect(result.locate("/gateway/echoRequestId")).toMatchObject({ file: "night.yaml", line: 1 });
  expect(result.locate("/services/orders/none")).toEqual({ file: "stdin", line: 1, column: 20 });
});

describe("what is wrong is listed", () => {
  test.each<[string, string[], string[], string[]]>([
    [
      "of all files at once",
      ["none.yaml", "wrong.json"],
      ["gone.yaml"],
      [
        "none.yaml:1:1 no such file",
        "wrong.json:1:2 not JSON: expected a name in double quotes, found ,",
        "gone.yaml:1:1 no such file",
      ],
    ],
    [
      "a file that says nothing",
      ["a.yaml", "empty.yaml"],
      [],
      ["empty.yaml:1:1 there is nothing in it; an empty configuration is {}"],
    ],
    [
      "two files that say the same",
      ["a.yaml", "a.yaml"],
      [],
      [
        "a.yaml:2:3 this is in a.yaml:2:3 already @/services/users",
        "a.yaml:4:5 this is in a.yaml:4:5 already @/routes/x",
      ],
    ],
    [
      "an overlay that takes away what an earlier one took",
      ["a.yaml", "b.json"],
      ["night.yaml", "night.yaml"],
      ["night.yaml:3:10 there is no such item to take away @/routes/y"],
    ],
    ["standard input twice", ["-"], ["-"], ["-:1:1 standard input can be read only once"]],
    ["no file", [], [], ["files:1:1 none is given"]],
  ])("%s", async (_, paths, overlays, expected) => {
    expect(await problems(paths, overlays)).toEqual(expected);
  });

  test("up to a bound, and counted beyond it", async () => {
    const result = await loadOf(["many.yaml"]);
    expect(result).toMatchObject({ ok: false, total: 2 * bounds.issuesMax });
    expect(!result.ok && result.problems.length).toBe(bounds.issuesMax);
  });

  test("however many, and however far into the file", async () => {
    const text = `{"a": 1,${"\n".repeat(1_000_000)}"b": 1${',\n"b": 2'.repeat(300_000)}}`;
    const result = await load({ files: ["a.json"], overlays: [] }, async (name) => ({ name, text }));
    expect(result).toMatchObject({ ok: false, total: 300_000 });
  });

  test("a document larger than the gateway takes, although its files are not", async () => {
    const half = async (path: string) => ({
      name: path,
      text: JSON.stringify({ services: { [path]: "x".repeat(limits.fileBytesMax / 2) } }),
    });
    const result = await load({ files: ["a", "b"], overlays: [] }, half);
    expect(!result.ok && said(result.problems)).toEqual([
      expect.stringMatching(`^a:1:1 all together is \\d+ bytes of JSON; at most ${limits.fileBytesMax} are accepted$`),
    ]);
  });
});

describe("reading", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-files-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const written = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  test("a file is UTF-8, with or without a byte order mark", async () => {
    const path = written("a.yaml", "\ufeffa: é");
    expect(await readSource(path)).toEqual({ name: path, text: "a: é" });
  });

  test("standard input is a file called stdin", async () => {
    const pieces = [...Buffer.from("a: é")].map((byte) => Buffer.from([byte]));
    expect(await readSource("-", Readable.from(pieces))).toEqual({ name: "stdin", text: "a: é" });
  });

  test("what cannot be read is said", async () => {
    expect(await readSource(join(folder, "none.yaml"))).toBe("no such file");
    expect(await readSource(folder)).toBe("this is a folder, not a file");
    expect(await readSource(written("bad.yaml", new Uint8Array([0x61, 0xff])))).toBe("not UTF-8 text");
    expect(await readSource("a\0b")).toMatch(/null bytes/);
  });

  test("reading ends at the bound", async () => {
    const path = written("large.yaml", "#".repeat(limits.fileBytesMax));
    expect(await readSource(path)).toMatchObject({ name: path });
    expect(await readSource(written("larger.yaml", "#".repeat(limits.fileBytesMax + 1)))).toBe(
      `larger than ${limits.fileBytesMax} bytes`,
    );
  });

  test("load reads by itself", async () => {
    const result = await load({ files: [written("c.yaml", "services: {a: {}}")], overlays: [] });
    expect(result).toMatchObject({ ok: true, text: '{"services":{"a":{}}}' });
  });
});
