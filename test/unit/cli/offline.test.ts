/** Commands that need no gateway: `validate` and `import`. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { bounds } from "../../../src/bounds.ts";
import { compileDocument } from "../../../src/snapshot/compile.ts";
import { run } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-offline-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe("validate", () => {
  test("accepts what is right, without a gateway or a token", async () => {
    const { code, stdout, stderr } = await run(["validate", "-f", "-"], { input: "{}" });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "The configuration is right.\n", stderr: "" });
  });

  test("lists every problem with its place, also as JSON", async () => {
    const input = "services: {a: {weight: 1}}\nroutes:\n  - name: r\n    service: b\n";
    const { code, stderr } = await run(["validate", "-f", "-"], { input });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sluice: \d problems? in the configuration\nstdin:1:16: /);
    const { error } = JSON.parse((await run(["validate", "--json", "-f", "-"], { input })).stdout);
    expect(error.problems[0]).toMatchObject({ file: "stdin", line: 1, column: 16, path: "/services/a/weight" });
    expect(error.total).toBe(error.problems.length);
  });

  test("leaves to the gateway what only it knows, unless --vars says it", async () => {
    const path = file(
      "p.yaml",
      `services:\n  a: {origins: [{id: x, url: '\${A_URL}'}]}\nroutes: [{name: r, service: '\${S}'}]\n`,
    );
    const { code, stderr } = await run(["validate", "-f", path]);
    expect(code).toBe(0);
    expect(stderr).toContain("p.yaml:2:30: known to the gateway only: not checked");
    const right = file("right", "A_URL=https://a.example\nS=a\n");
    expect(await run(["validate", "-f", path, "--vars", right])).toMatchObject({ code: 0, stderr: "" });
    const wrong = file("wrong", "A_URL=ftp://a.example\nS=a\n");
    expect(await run(["validate", "-f", path, "--vars", wrong])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("p.yaml:2:30: "),
    });
    expect(await run(["validate", "-f", path, "--vars", "/nowhere"])).toMatchObject({ code: 1 });
  });

  test("a token of the gateway in a placeholder is refused", async () => {
    const input = `services: {a: {origins: [{id: x, url: '\${ADMIN_TOKEN}'}]}}`;
    expect(await run(["validate", "-f", "-"], { input })).toMatchObject({ code: 1 });
  });

  test("does not call right what it could not look at", async () => {
    const routes = Array.from({ length: bounds.issuesMax }, (_, index) => ({ name: `r${index}`, service: `\${S}` }));
    const input = JSON.stringify({ routes: [...routes, { name: "last", service: "none" }] });
    expect(await run(["validate", "-f", "-"], { input })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--vars"),
    });
  });

  test("without a file there is nothing to validate", async () => {
    expect(await run(["validate"])).toMatchObject({ code: 1, stderr: expect.stringContaining("-f PATH") });
  });
});

describe("import", () => {
  const kong = file(
    "kong.yaml",
    `_format_version: "3.0"
services:
  - name: users
    url: http://users.internal:8080
    read_timeout: 1234
    routes:
      - name: users
        paths: [/users]
    plugins:
      - name: key-auth
`,
  );

  test("prints a configuration that compiles, and lists what it could not translate with its place", async () => {
    const { code, stdout, stderr } = await run(["import", "kong", kong, "--format", "json"]);
    expect(code).toBe(0);
    expect(compileDocument(stdout, { ALLOW_PRIVATE_ORIGINS: "true" })).toMatchObject({ ok: true });
    expect(stderr).toMatch(/not supported: .*key-auth/);
    expect(stderr).toMatch(/kong\.yaml:10:\d+/);
    const yaml = await run(["import", "kong", kong]);
    expect(yaml.stdout).toContain("services:\n  users:\n");
    expect(
      (await run(["validate", "-f", "-", "--vars", file("v", "ALLOW_PRIVATE_ORIGINS=true")], { input: yaml.stdout }))
        .code,
    ).toBe(0);
  });

  test("with --strict a note ends it with 3, and --json has everything", async () => {
    const { code, stdout } = await run(["import", "kong", kong, "--strict", "--json"]);
    expect(code).toBe(3);
    const { config, notes } = JSON.parse(stdout);
    expect(Object.keys(config.services)).toContain("users");
    expect(notes).toContainEqual(
      expect.objectContaining({ why: "not supported", places: [expect.objectContaining({ line: 10 })] }),
    );
  });

  test.each([["kong"], ["gateway-api"], ["openapi"]])("%s refuses a file that is none with its place", async (kind) => {
    expect(await run(["import", kind, file("broken.yaml", "a: [\n")])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("broken.yaml:"),
    });
    expect(await run(["import", kind, file("empty.yaml", "")])).toMatchObject({ code: 1 });
    expect(await run(["import", kind, "/nowhere"])).toMatchObject({ code: 1 });
  });

  test("another kind is refused", async () => {
    expect(await run(["import", "nginx", kong])).toMatchObject({ code: 1, stderr: expect.stringContaining("openapi") });
  });
});
