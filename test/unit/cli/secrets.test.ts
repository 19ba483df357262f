/** What must not reach a terminal: the token, and what a gateway says beyond text. */
import { afterEach, expect, test } from "vitest";
import { plain } from "../../../cli/output.ts";
import { type FakeGateway, fakeGateway, problem, run } from "./support.ts";

let gateway: FakeGateway;
afterEach(() => gateway?.close());

test.each(["two\nlines-secret", "white space-secret", "n\u00f6-secret", "\u4e16\u754c-secret"])(
  "a token that cannot be sent is not shown either: %j",
  async (token) => {
    gateway = await fakeGateway(() => ({ body: {} }));
    for (const more of [[], ["--json"]]) {
      const { code, stdout, stderr } = await run(["history", ...more], {
        env: { ...gateway.env, SLUICE_TOKEN: token },
      });
      expect(code).toBe(1);
      expect(stdout + stderr).toContain("SLUICE_TOKEN");
      expect(stdout + stderr).not.toContain("secret");
    }
    expect(gateway.asked).toEqual([]);
  },
);

test("control characters of a refusal do not reach the terminal", async () => {
  const errors = [{ pointer: "#/\u001b]0;pwned\u0007", detail: "\u001b[2J is wrong" }];
  gateway = await fakeGateway(() => problem(400, "invalid_request", { errors, detail: "\u001b[31mno" }));
  const { stderr } = await run(["history"], { env: { ...gateway.env, NO_COLOR: "1" } });
  expect(stderr).toContain("is wrong");
  for (const line of stderr.split("\n")) expect(line).toBe(plain(line));
});
