import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { projectDir } from "../support/bundle.ts";
import { type Gateway, startGateway, tokens } from "../support/gateway.ts";

let gateway: Gateway;

beforeAll(async () => {
  const config = { services: { users: { registration: { ttlSeconds: { default: 5 } } } } };
  gateway = await startGateway({ config });
});
afterAll(() => gateway?.dispose());

function startScript(env: Record<string, string>) {
  const child = spawn(join(projectDir, "examples/origin-shell/origin.sh"), {
    env: {
      ...process.env,
      SLUICE_URL: gateway.url,
      SLUICE_TOKEN: tokens.registrar,
      SERVICE: "users",
      ORIGIN_ID: "shell",
      ORIGIN_URL: "http://127.0.0.1:1",
      VERSION: "v1",
      ...env,
    },
  });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  return { child, exit: once(child, "exit"), output: () => output };
}

interface Listed {
  readonly id: string;
  readonly url: string;
  readonly version: string;
  readonly expiresAt: string;
  readonly createRevision: number;
}

async function listed(): Promise<Listed | undefined> {
  const response = await gateway.admin("/v1/services/users");
  return ((await response.json()) as { origins: Listed[] }).origins[0];
}

it("origin.sh keeps an origin registered, registers it again when the lease is lost, and deregisters it on TERM", async () => {
  const { child, exit, output } = startScript({});
  const soon = { timeout: 10_000, interval: 100 };
  try {
    const first = await vi.waitFor(async () => (await listed()) ?? expect.fail("not listed"), soon);
    expect(first).toMatchObject({ id: "shell", url: expect.stringContaining("http://127.0.0.1:1"), version: "v1" });
    await vi.waitFor(async () => expect((await listed())?.expiresAt).not.toBe(first.expiresAt), soon);
    expect((await listed())?.createRevision, "renewed, not registered again").toBe(first.createRevision);

    await gateway.admin("/v1/services/users/origins/shell", { method: "DELETE" });
    await vi.waitFor(() => expect(output().match(/is registered/g)).toHaveLength(2), soon);
    expect((await listed())?.createRevision).toBeGreaterThan(first.createRevision);

    child.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
    expect(await listed()).toBeUndefined();
    expect(output()).toMatch(/has lost its lease[\s\S]*is deregistered/);
  } finally {
    child.kill("SIGTERM");
  }
});

it.each([
  ["a token that is wrong", { SLUICE_TOKEN: "wrong" }, 1, "HTTP 401 unauthorized"],
  ["an id that would break the JSON", { ORIGIN_ID: 'a"b' }, 2, "names may hold letters"],
  ["no URL", { ORIGIN_URL: "" }, 2, "ORIGIN_URL"],
])("origin.sh ends with an error for %s", async (_, env, code, message) => {
  const { exit, output } = startScript(env);
  expect(await exit).toEqual([code, null]);
  expect(output()).toContain(message);
});
