import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "./support.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-completion-"));
  writeFileSync(join(folder, "script.bash"), (await run(["completion", "bash"])).stdout);
  writeFileSync(join(folder, "routes.yaml"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash would offer at the end of a line. */
function offered(...words: string[]): string[] {
  const script = `
source script.bash
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_sluice
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync("bash", ["-c", script, "bash", "sluice", ...words], { cwd: folder, encoding: "utf8" });
  return output.split("\n").filter((word) => word !== "");
}

describe("bash completes", () => {
  test("commands", () => {
    expect(offered("re")).toEqual(["register"]);
    expect(offered("")).toEqual(expect.arrayContaining(["apply", "diff", "completion", "--help"]));
  });

  test("the options of a command", () => {
    expect(offered("diff", "--o")).toEqual(["--overlay"]);
    expect(offered("register", "users", "http://x", "--k")).toEqual(["--keep"]);
    expect(offered("diff", "--k")).toEqual([]);
  });

  test("files, choices and arguments, each in its place", () => {
    expect(offered("diff", "-f", "rou")).toEqual(["routes.yaml"]);
    expect(offered("export", "--format", "")).toEqual(["json", "yaml"]);
    expect(offered("import", "k")).toEqual(["kong"]);
    expect(offered("import", "--format", "json", "k")).toEqual(["kong"]);
    expect(offered("import", "kong", "rou")).toEqual(["routes.yaml"]);
    expect(offered("completion", "z")).toEqual(["zsh"]);
    expect(offered("canary", "")).toEqual(["promote", "abort"]);
    expect(offered("apply", "--canary", "")).toEqual([]);
    expect(offered("history", "--limit", "")).toEqual([]);
    expect(offered("origins", "")).toEqual([]);
  });
});

test("zsh is told of every command and option", async () => {
  const { stdout } = await run(["completion", "zsh"]);
  expect(stdout).toMatch(/^#compdef sluice\n/);
  expect(stdout).toContain("'diff:show what the gateway has otherwise than the files'");
  expect(stdout).toMatch(/^ {4}diff\) _arguments .*'\*--overlay\[[^']*\]:value:_files'/m);
  expect(stdout).toMatch(
    /^ {4}import\) _arguments .*'1:argument:\(kong gateway-api openapi\)' '2:argument:_files' ;;$/m,
  );
});

test("another shell is refused", async () => {
  expect(await run(["completion", "fish"])).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("bash, zsh"),
  });
  expect(JSON.parse((await run(["completion", "bash", "--json"])).stdout)).toMatchObject({ shell: "bash" });
});
