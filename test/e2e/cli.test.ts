/** The CLI against a real gateway. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { projectDir } from "../support/bundle.ts";
import { type Run, type RunningCli, runCli, runNode, startCli } from "../support/cli.ts";
import { type Gateway, startGateway, tokens } from "../support/gateway.ts";
import { type HttpOrigin, startHttpOrigin } from "../support/http-origin.ts";

const files: Readonly<Record<string, string>> = {
  "services.yaml": `
gateway: { debugHeaders: true }
services:
  users: &usual
    registration: { ttlSeconds: { default: 10 } }
    defaultVersion: v1
  orders: *usual
`,
  "routes.yaml": `
routes:
  - name: users
    matches: [{ path: { prefix: /users } }]
    service: users
    timeouts: &slow { requestMs: 60000 }
  - { name: orders, matches: [{ path: { prefix: /orders } }], service: orders, timeouts: *slow }
`,
  "staging.json": '{ "gateway": { "debugHeaders": null }, "routes": [{ "name": "orders", "$remove": true }] }',
  "wrong.yaml": `
services: { users: {} }
routes:
  - name: users
    service: usrs
`,
};
const both = ["-f", "services.yaml", "-f", "routes.yaml"];

let gateway: Gateway;
let origin: HttpOrigin;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-cli-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  origin = await startHttpOrigin("here");
  gateway = await startGateway();
});

afterAll(async () => {
  await gateway?.dispose();
  await origin?.close();
  rmSync(folder, { recursive: true, force: true });
});

const env = (token: string = tokens.admin) => ({ SLUICE_URL: gateway.url, SLUICE_TOKEN: token });
const sluice = (args: readonly string[], input = "", token?: string): Promise<Run> =>
  runCli(args, { cwd: folder, env: env(token), input });
const inForce = async () => (await gateway.admin("/v1/config")).json() as Promise<Record<string, never>>;
const revision = async () => (await gateway.admin("/v1/config")).headers.get("etag");

it("the first document is applied to a gateway that has none", async () => {
  const before = await sluice(["diff", ...both]);
  expect(before).toMatchObject({ code: 2, stderr: expect.stringContaining("against revision 0") });
  const applied = await sluice(["apply", ...both, "--note", "the first"]);
  expect(applied).toMatchObject({ code: 0, stderr: expect.stringContaining("revision 1 is in force") });
  expect(applied.stdout).toContain("+ /services");
  expect(await inForce()).toEqual({
    gateway: { debugHeaders: true },
    services: {
      users: { registration: { ttlSeconds: { default: 10 } }, defaultVersion: "v1" },
      orders: { registration: { ttlSeconds: { default: 10 } }, defaultVersion: "v1" },
    },
    routes: [
      { name: "users", matches: [{ path: { prefix: "/users" } }], service: "users", timeouts: { requestMs: 60_000 } },
      {
        name: "orders",
        matches: [{ path: { prefix: "/orders" } }],
        service: "orders",
        timeouts: { requestMs: 60_000 },
      },
    ],
  });
});

describe("with a configuration in force", () => {
  let base: unknown;
  beforeEach(async () => {
    base ??= await inForce();
    await gateway.put(base);
  });

  it("diff after apply is empty and exits 0, and applying again makes no revision", async () => {
    expect(await sluice(["diff", ...both], "", tokens.viewer)).toMatchObject({ code: 0, stdout: "" });
    expect(await sluice(["diff", "--sync", ...both])).toMatchObject({ code: 0, stdout: "" });
    const before = await revision();
    expect(await sluice(["apply", ...both])).toMatchObject({ code: 0, stdout: "" });
    expect(await revision()).toBe(before);
  });

  it("diff shows a change by hand and exits 2, and apply undoes it", async () => {
    const changed = structuredClone(await inForce()) as unknown as { routes: Record<string, unknown>[] };
    changed.routes[0]!.timeouts = { requestMs: 1 };
    changed.routes[1]!.retries = {};
    await gateway.put(changed);
    const shown = await sluice(["diff", ...both]);
    expect(shown.code).toBe(2);
    expect(shown.stdout.split("\n").slice(0, 4)).toEqual([
      "~ /routes/users/timeouts/requestMs",
      "    - 1",
      "    + 60000",
      "- /routes/orders/retries",
    ]);
    const json = JSON.parse((await sluice(["diff", "--json", ...both])).stdout);
    expect(json.changes.map(({ op, path }: { op: string; path: string }) => `${op} ${path}`)).toEqual([
      "replace /routes/0/timeouts/requestMs",
      "remove /routes/1/retries",
    ]);
    await sluice(["apply", ...both]);
    expect(await sluice(["diff", ...both])).toMatchObject({ code: 0 });
  });

  it("a wrong file is refused with line and column, offline and by the gateway, and changes nothing", async () => {
    const before = await revision();
    for (const args of [["validate"], ["apply"], ["sync", "--yes"]]) {
      const refused = await sluice([...args, "-f", "wrong.yaml"]);
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toContain("wrong.yaml:5:14: ");
      expect(refused.stderr).toContain("(at /routes/users/service)");
    }
    const json = JSON.parse((await sluice(["apply", "--json", "-f", "wrong.yaml"])).stdout);
    expect(json.error).toMatchObject({ code: "invalid_config", errors: [{ file: "wrong.yaml", line: 5, column: 14 }] });
    expect(await revision()).toBe(before);
  });

  it("an overlay is merged, and --show prints the result", async () => {
    const shown = await sluice(["sync", "--yes", ...both, "--overlay", "staging.json", "--show", "--json"]);
    expect(shown.code).toBe(0);
    const { document } = JSON.parse(shown.stdout);
    expect(document).toMatchObject({ gateway: {}, routes: [{ name: "users" }] });
    expect(document.routes).toHaveLength(1);
    expect(await inForce()).toEqual(document);
  });

  it("apply keeps what the files do not name, and sync removes it after --yes only", async () => {
    const mine = '{"services": {"users": {}}, "routes": [{"name": "new", "service": "users"}]}';
    expect(await sluice(["apply", "-f", "-"], mine)).toMatchObject({ code: 0 });
    const { routes, services } = (await inForce()) as unknown as { routes: { name: string }[]; services: object };
    expect(routes.map(({ name }) => name)).toEqual(["users", "orders", "new"]);
    expect(services).toMatchObject({ users: {}, orders: { defaultVersion: "v1" } });
    expect(await sluice(["diff", "-f", "-"], mine)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("4 parts the files do not name"),
    });
    const before = await revision();
    const refused = await sluice(["sync", "-f", "-"], mine);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("  - /routes/orders") });
    expect(await revision()).toBe(before);
    expect(await sluice(["sync", "-f", "-", "--dry-run"], mine)).toMatchObject({ code: 0 });
    expect(await revision()).toBe(before);
    expect(await sluice(["sync", "-f", "-", "--yes"], mine)).toMatchObject({ code: 0 });
    expect(await inForce()).toEqual(JSON.parse(mine));
  });

  it("what is exported and synced is the same again", async () => {
    for (const format of ["json", "yaml"]) {
      const exported = await sluice(["export", "--format", format], "", tokens.viewer);
      expect(exported.code).toBe(0);
      expect(await sluice(["diff", "--sync", "-f", "-"], exported.stdout)).toMatchObject({ code: 0, stdout: "" });
      await sluice(["sync", "--yes", "-f", "-"], "{}");
      expect(await sluice(["sync", "--yes", "-f", "-"], exported.stdout)).toMatchObject({ code: 0 });
      expect(await sluice(["diff", "--sync", ...both])).toMatchObject({ code: 0, stdout: "" });
    }
  });

  it("history lists revisions with their notes, and rollback makes a new one of an old one", async () => {
    const good = Number((await revision())!.replaceAll('"', ""));
    await sluice(["sync", "--yes", "-f", "-", "--note", "a mistake"], "{}");
    const listed = JSON.parse((await sluice(["history", "--json", "--limit", "2"])).stdout);
    expect(listed.revisions).toMatchObject([
      { revision: good + 1, note: "a mistake", author: "admin" },
      { revision: good },
    ]);
    const text = await sluice(["history", "--limit", "1"]);
    expect(text.stdout.split("\n")).toHaveLength(3);
    const back = await sluice(["rollback", `${good}`]);
    expect(back).toMatchObject({ code: 0, stderr: expect.stringContaining(`revision ${good + 2} is in force`) });
    expect(await sluice(["diff", "--sync", ...both])).toMatchObject({ code: 0 });
    expect(await sluice(["rollback", "999999"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no revision 999999"),
    });
  });

  describe("a canary", () => {
    // Nothing else can be put in force while one runs.
    afterEach(() => gateway.admin("/v1/config/canary", { method: "DELETE" }));
    const mine = "services: {users: {}}\nroutes: [{name: orders, service: users}]";
    const applying = (...args: string[]) => sluice(["apply", "-f", "-", ...args], mine);
    const numberOf = (run: Run) => Number(/revision (\d+) is tried/.exec(run.stderr)?.[1]);

    it("is shown, bars other changes, is ramped under its number, and promoted", async () => {
      const before = Number((await revision())!.replaceAll('"', ""));
      const dry = await applying("--canary", "30", "--dry-run");
      expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining("would be tried on 30 %") });
      expect((await sluice(["canary"])).stdout).toContain("no canary is running");
      const started = await applying("--canary", "30", "--note", "a try");
      const tried = numberOf(started);
      expect(started.code).toBe(0);
      expect(started.stderr).toContain(`tried on 30 % of the clients; revision ${before} is in force`);
      expect(tried).toBeGreaterThan(before);
      const shown = await sluice(["canary"], "", tokens.viewer);
      expect(shown).toMatchObject({ code: 0, stderr: "" });
      expect(shown.stdout).toMatch(
        new RegExp(`^revision ${tried} is tried on 30 % .*; revision ${before} is in force`),
      );
      expect(shown.stdout).toContain("~ /routes/orders/service");
      const status = await sluice(["status"], "", tokens.viewer);
      expect(status.stdout).toContain(`canary: revision ${tried} is tried on 30 %`);

      for (const write of [["apply"], ["sync", "--yes"]]) {
        const refused = await sluice([...write, "-f", "-"], mine);
        expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("409 canary_running") });
        expect(refused.stderr).toContain("`sluice canary promote` puts it in force");
      }
      expect(numberOf(await applying("--canary", "60"))).toBe(tried);
      const json = JSON.parse((await sluice(["canary", "--json"])).stdout);
      expect(json).toMatchObject({ inForce: before, canary: { revision: tried, percent: 60 }, truncated: false });

      const promoted = await sluice(["canary", "promote"]);
      expect(promoted).toMatchObject({ code: 0, stderr: expect.stringContaining(`revision ${tried} is in force`) });
      expect(await revision()).toBe(`"${tried}"`);
      expect(await sluice(["diff", "-f", "-"], mine)).toMatchObject({ code: 0, stdout: "" });
      expect(await sluice(["canary", "promote"])).toMatchObject({ code: 1 });
    });

    it("leaves what was when it is aborted", async () => {
      const before = await revision();
      await sluice(["sync", "--yes", "-f", "-", "--canary", "30"], mine);
      expect((await sluice(["canary"])).stdout).toContain("- /services/orders");
      const unchanged = await sluice(["apply", ...both]);
      expect(unchanged).toMatchObject({ code: 0, stderr: expect.stringContaining("`sluice canary abort` ends that") });
      const ended = await sluice(["canary", "abort"]);
      expect(ended).toMatchObject({ code: 0, stderr: expect.stringContaining("the canary is ended") });
      expect(await revision()).toBe(before);
      expect((await sluice(["canary"])).stdout).toMatch(/^no canary is running/);
      expect(await sluice(["diff", "--sync", ...both])).toMatchObject({ code: 0, stdout: "" });
    });
  });

  it("of writers at the same time none loses a change", async () => {
    const names = ["a", "b", "c", "d"];
    const runs = await Promise.all(
      names.map((name) =>
        sluice(["apply", "-f", "-"], `services: {${name}: {}}\nroutes: [{name: ${name}, service: ${name}}]`),
      ),
    );
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(Object.keys((await inForce()).services!).sort()).toEqual(["a", "b", "c", "d", "orders", "users"]);
  });

  it("validate --url asks the gateway and changes nothing", async () => {
    const before = await revision();
    const document = "services: {users: {origins: [{id: a, url: 'http://127.0.0.1:1'}]}}";
    expect(await sluice(["validate", "-f", "-"], document)).toMatchObject({ code: 1 });
    const withVariables = ["validate", "--vars", "vars", "-f", "-"];
    writeFileSync(join(folder, "vars"), "ALLOW_PRIVATE_ORIGINS=true\n");
    expect(await sluice(withVariables, document)).toMatchObject({ code: 0 });
    expect(await sluice([...withVariables, "--url", gateway.url], document)).toMatchObject({ code: 0 });
    const unknown = await sluice(
      [...withVariables, "--url", gateway.url],
      `services: {users: {defaultVersion: '\${NO}'}}`,
    );
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining(`stdin:1:36: \${NO} is not a variable`) });
    expect(await revision()).toBe(before);
  });

  it("an origin registers, is listed, and is drained", async () => {
    const args = ["register", "users", origin.url, "--id", "one", "--version", "v1", "--weight", "2", "--ttl", "30"];
    expect(await sluice(args, "", tokens.registrar)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("lease "),
    });
    const listed = await sluice(["origins", "users"], "", tokens.viewer);
    expect(listed.stdout).toMatch(/^users +one +ready +v1 +2 +(?:30|29|28)s +http/m);
    const all = JSON.parse((await sluice(["origins", "--json"])).stdout);
    expect(all.services).toMatchObject([{ service: "orders" }, { service: "users", origins: [{ id: "one" }] }]);
    const drained = await sluice(["drain", "users", "one", "--grace", "0", "--json"], "", tokens.registrar);
    expect(JSON.parse(drained.stdout)).toMatchObject({ origin: "one", state: "draining" });
    expect(await sluice(["origins", "nobody"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("404 service_unknown"),
    });
  });

  it("register --keep lives longer than its lease, and leaves on SIGTERM", async () => {
    const args = ["register", "users", origin.url, "--id", "kept", "--ttl", "5", "--keep", "--grace", "1", "--json"];
    const running = startCli(args, { cwd: folder, env: env(tokens.registrar) });
    await until(() => running.stdout().includes('"registered"'));
    await wait(7_000);
    expect(await statesOf("users")).toEqual({ kept: "ready" });
    running.process.kill("SIGTERM");
    await until(() => running.stdout().includes('"draining"'));
    expect(await statesOf("users")).toEqual({ kept: "draining" });
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(await statesOf("users")).toEqual({});
    expect(eventsOf(running).map(({ event }) => event)).toEqual(["registered", "draining", "deregistered"]);
  });

  it("register --keep takes a lost lease anew", async () => {
    const args = ["register", "users", origin.url, "--id", "again", "--ttl", "5", "--keep", "--grace", "0", "--json"];
    const running = startCli(args, { cwd: folder, env: env(tokens.registrar) });
    await until(() => running.stdout().includes('"registered"'));
    await gateway.admin("/v1/services/users/origins/again", { method: "DELETE" });
    await until(() => running.stdout().split('"registered"').length === 3);
    expect(await statesOf("users")).toEqual({ again: "ready" });
    running.process.kill("SIGINT");
    expect(await running.ended).toMatchObject({ code: 0 });
  });

  it("status shows services and origins once when there is no terminal", async () => {
    await gateway.register("users", "shown", { url: origin.url, ttlSeconds: 60 });
    const shown = await sluice(["status"], "", tokens.viewer);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^users +1 +1$/m);
    expect(shown.stdout).toMatch(/^users +shown +ready/m);
    expect(shown.stdout).not.toContain("\u001b");
    const json = JSON.parse((await sluice(["status", "--json"], "", tokens.registrar)).stdout);
    expect(json).toMatchObject({ health: { status: "ok" }, breakers: null });
    await gateway.admin("/v1/services/users/origins/shown", { method: "DELETE" });
  });

  it("watch shows each change once, and ends on SIGTERM with 0", async () => {
    const running = startCli(["watch", "orders", "--json"], { cwd: folder, env: env(tokens.viewer) });
    // It watches from its first answer on.
    await wait(2_000);
    for (const id of ["a", "b"]) await gateway.register("orders", id, { url: origin.url, ttlSeconds: 60 });
    await gateway.admin("/v1/services/orders/origins/a", { method: "DELETE" });
    await until(() => eventsOf(running).length >= 3);
    running.process.kill("SIGTERM");
    expect(await running.ended).toMatchObject({ code: 0 });
    const seen = eventsOf(running).map(({ type, origin: id }) => `${type} ${id}`);
    expect(seen).toEqual(["registered a", "registered b", "removed a"]);
    const later = startCli(["watch", "orders", "--from", `${eventsOf(running)[1]!.revision}`], {
      cwd: folder,
      env: env(),
    });
    await until(() => later.stdout().includes("removed"));
    later.process.kill("SIGTERM");
    expect((await later.ended).stdout).toMatch(/^\d+ {2}removed {2}a\n$/);
  });

  it("watch without a service shows changes of the configuration", async () => {
    const running = startCli(["watch", "--json"], { cwd: folder, env: env(tokens.viewer) });
    await wait(2_000);
    await sluice(["apply", "-f", "-"], "gateway: {echoRequestId: true}");
    await until(() => running.stdout().includes('"section":"config"'));
    running.process.kill("SIGINT");
    expect(await running.ended).toMatchObject({ code: 0 });
  });

  it("explain says where a request goes and why the others do not get it", async () => {
    const explained = await sluice(
      ["explain", "/users/7", "-X", "POST", "-H", "x-a: 1", "-H", "x-a: 2"],
      "",
      tokens.viewer,
    );
    expect(explained.code).toBe(0);
    expect(explained.stdout).toMatch(/^POST 127\.0\.0\.1\/users\/7 /);
    expect(explained.stdout).toContain("users (every host, prefix /users)");
    expect(explained.stdout).toMatch(/not orders: .*\[path\]/);
    expect(JSON.parse((await sluice(["explain", "http://x.example/none", "--json"])).stdout)).toMatchObject({
      outcome: { kind: "error", status: 404 },
    });
  });

  it("a token that may not is told so, and none is asked for", async () => {
    expect(await sluice(["apply", "-f", "-"], "gateway: {echoRequestId: true}", tokens.viewer)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("403 forbidden"),
    });
    const without = await runCli(["history"], { env: { SLUICE_URL: gateway.url } });
    expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining("SLUICE_TOKEN is not set") });
  });
});

it("a Node.js that cannot run TypeScript hands over to the one of the project", async () => {
  const bin = join(projectDir, "cli/bin.js");
  const { code, stdout } = await runNode(["--no-experimental-strip-types", bin, "--version"]);
  expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
});

it("nothing was thrown that nobody caught", () => {
  expect(gateway.uncaught()).toEqual([]);
});

/** The lines of JSON that a run has printed so far. */
function eventsOf({ stdout }: RunningCli): Record<string, unknown>[] {
  const lines = stdout().split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

async function statesOf(service: string): Promise<Record<string, string>> {
  const listed = (await (await gateway.admin(`/v1/services/${service}`)).json()) as {
    origins: { id: string; state: string }[];
  };
  return Object.fromEntries(listed.origins.map(({ id, state }) => [id, state]));
}

async function until(done: () => boolean): Promise<void> {
  const endMs = Date.now() + 20_000;
  while (!done()) {
    if (Date.now() > endMs) throw new Error("it did not happen");
    await wait(20);
  }
}
