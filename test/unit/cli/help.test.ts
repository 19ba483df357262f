import { describe, expect, test } from "vitest";
import { newProgram } from "../../../cli/program.ts";
import { fakeIo, run } from "./support.ts";

const names = newProgram(fakeIo().io, () => {}).commands.map((command) => command.name());

describe("every command", () => {
  test.each(names)("%s has a manual page, --json, and fits a terminal", async (name) => {
    const { code, stdout, stderr } = await run([name, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const sections = stdout.split("\n").filter((line) => /^[A-Z]/.test(line));
    const wanted = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES"];
    expect(sections.filter((section) => section !== "ARGUMENTS")).toEqual(wanted);
    expect(stdout).toContain(`sluice ${name} - `);
    expect(stdout).toMatch(/^ {4}--json$/m);
    expect(stdout.split("\n").filter((line) => line.length > 80 && !line.includes("$ "))).toEqual([]);
    expect(stdout).not.toContain("--token");
  });

  test("is listed with one line", async () => {
    const { stdout } = await run(["--help"]);
    for (const name of names) expect(stdout).toMatch(new RegExp(`^ {4}${name} +\\w`, "m"));
  });
});

test("examples name commands and options that there are", async () => {
  for (const name of names) {
    const { stdout } = await run([name, "--help"]);
    const lines = [...stdout.matchAll(/^ +\$ (.*)$/gm)].flatMap(([, line]) => line!.split(/[|>;]/));
    const own = lines.filter((line) => line.trim().startsWith("sluice "));
    for (const line of own) {
      const [, command = "", ...words] = line.trim().split(/\s+/);
      const page = (await run([command, "--help"])).stdout;
      for (const option of words.filter((word) => /^--?[a-z]/i.test(word)))
        expect(page).toMatch(new RegExp(`${option}\\b`));
    }
  }
});

test("titles are bold on a terminal, and not with NO_COLOR", async () => {
  expect((await run(["--help"], { isTerminal: true })).stdout).toContain("\u001b[1mNAME\u001b[22m");
  expect((await run(["--help"], { isTerminal: true, env: { NO_COLOR: "1" } })).stdout).not.toContain("\u001b");
});
