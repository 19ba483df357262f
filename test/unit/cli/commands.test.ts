/** What commands do with answers that a real gateway seldom gives; what they do with a real one is in test/e2e/cli.test.ts. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { limits } from "../../../cli/limits.ts";
import { type Asked, document, type FakeGateway, fakeGateway, problem, type Reply, run } from "./support.ts";

let gateway: FakeGateway;
afterEach(() => gateway?.close());

const applied = (revision: number): Reply => ({
  body: { revision, hash: "", changes: [], truncated: false, warnings: [] },
});

describe("usage", () => {
  test("of an unknown command or option is refused with 1, on standard error", async () => {
    for (const args of [["nothing"], ["diff", "--nothing"], ["rollback"], ["drain", "a", "b", "c"], []]) {
      const { code, stdout, stderr } = await run(args);
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: "" });
      expect(stderr).not.toBe("");
    }
    expect((await run(["history", "--limit", "0"])).stderr).toContain("from 1 to 1000");
    expect((await run(["explain", "/x", "-H", "none"])).stderr).toContain("name: value");
    expect((await run(["rollback", "last"], { env: { SLUICE_URL: "http://x", SLUICE_TOKEN: "t" } })).stderr).toContain(
      "last",
    );
  });

  test("with --json a failure is JSON too", async () => {
    for (const args of [
      ["diff", "--json", "--nothing"],
      ["history", "--json"],
      ["diff", "--json", "-f", "/nowhere.yaml"],
    ]) {
      const { code, stdout } = await run(args);
      expect(code).toBe(1);
      expect(JSON.parse(stdout).error.message).toMatch(/./);
    }
  });

  test("the token is never taken from the command line", async () => {
    expect((await run(["history", "--token", "x"])).stderr).toContain("unknown option");
    expect((await run(["history", "--url", "http://127.0.0.1"])).stderr).toContain("SLUICE_TOKEN is not set");
    expect((await run(["history"], { env: { SLUICE_TOKEN: "x" } })).stderr).toContain("SLUICE_URL");
  });
});

describe("apply", () => {
  test("merges anew when another writer was faster, and gives up after some tries", async () => {
    const revisions = [{ routes: [] }, { gateway: { echoRequestId: true } }];
    gateway = await fakeGateway(({ method }, index) => {
      if (method === "GET") return document(index < 2 ? 1 : 2, revisions[index < 2 ? 0 : 1]);
      return index < 2 ? problem(412, "revision_conflict", { revision: 2 }) : applied(3);
    });
    const args = ["apply", "-f", "-", "--json"];
    const { code, stdout, stderr } = await run(args, { env: gateway.env, input: "services: {a: {}}" });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "the configuration has changed meanwhile: merging anew\n" });
    expect(JSON.parse(stdout)).toMatchObject({ revision: 3, changes: [{ op: "add", path: "/services" }] });
    expect(gateway.asked.map(({ method, headers }) => [method, headers["if-match"]])).toEqual([
      ["GET", undefined],
      ["PUT", '"1"'],
      ["GET", undefined],
      ["PUT", '"2"'],
    ]);
    expect(JSON.parse(gateway.asked[3]!.body)).toEqual({ gateway: { echoRequestId: true }, services: { a: {} } });

    await gateway.close();
    gateway = await fakeGateway(({ method }) =>
      method === "GET" ? document(1, {}) : problem(412, "revision_conflict", { revision: 2 }),
    );
    expect(await run(args, { env: gateway.env, input: "services: {a: {}}" })).toMatchObject({ code: 1 });
    expect(gateway.asked).toHaveLength(2 * limits.conflictTriesMax);
  });

  test("a problem of a part that is not in the files is shown where it is in force", async () => {
    const errors = [{ detail: "names no service", pointer: "#/routes/0/service" }];
    gateway = await fakeGateway(({ method }) =>
      method === "GET"
        ? document(4, { routes: [{ name: "r", service: "s" }] })
        : problem(422, "invalid_config", { errors }),
    );
    const { code, stderr } = await run(["apply", "-f", "-"], { env: gateway.env, input: "services: {a: {}}" });
    expect(code).toBe(1);
    expect(stderr).toContain("revision 4:1:34: names no service (at /routes/r/service)");
  });

  test("warnings are shown in their places", async () => {
    const warnings = [{ detail: "is odd", pointer: "#/services/a" }];
    gateway = await fakeGateway(({ method }) =>
      method === "GET" ? document(1, {}) : { body: { revision: 2, hash: "", changes: [], truncated: false, warnings } },
    );
    const { code, stderr } = await run(["apply", "-f", "-"], { env: gateway.env, input: "services: {a: {}}" });
    expect(code).toBe(0);
    expect(stderr).toContain("warning: stdin:1:12: is odd (at /services/a)");
  });
});

describe("a canary", () => {
  const inForce = { routes: [{ name: "r", service: "s" }], services: { s: {} } };
  const running = { revision: 5, percent: 30, since: "2026-01-02T03:04:05.000Z" };
  const none = problem(404, "not_found");
  /** A gateway with revision 4 in force; `canary` is what it says of the canary. */
  const trying = async (canary: Reply, others: (asked: Asked) => Reply = () => ({})) => {
    gateway = await fakeGateway((asked) => {
      if (asked.path === "/v1/config" && asked.method === "GET") return document(4, inForce);
      return asked.path === "/v1/config/canary" ? canary : others(asked);
    });
  };
  const applying = (args: string[], input = "services: {a: {}}") =>
    run(["apply", "-f", "-", ...args], { env: gateway.env, input });

  test("is told to the gateway as a percentage, and what is in force is reported", async () => {
    await trying(none, () => applied(5));
    expect((await applying(["--canary", "30"])).stderr).toBe(
      "1 change: revision 5 is tried on 30 % of the clients; revision 4 is in force\n",
    );
    expect((await applying(["--canary", "30", "--dry-run"])).stderr).toBe(
      "1 change to revision 4 would be tried on 30 % of the clients\n",
    );
    const puts = gateway.asked.filter(({ method }) => method === "PUT").map(({ path }) => path);
    expect(puts).toEqual(["/v1/config?canary=30", "/v1/config?canary=30&dryRun=true"]);
    expect(JSON.parse((await applying(["--canary", "30", "--json"])).stdout)).toMatchObject({
      ...{ revision: 5, inForce: 4, percent: 30 },
    });
    for (const percent of ["0", "100", "1.5", "x"]) {
      expect(await applying(["--canary", percent])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("from 1 to 99"),
      });
    }
  });

  test("that bars a change is told with the ways out", async () => {
    await trying({ body: running }, () => problem(409, "canary_running", { revision: 5 }));
    const { code, stdout, stderr } = await applying(["--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).error).toMatchObject({ code: "canary_running", status: 409 });
    for (const way of ["sluice canary promote", "sluice canary abort", "--canary"]) expect(stderr).toContain(way);
  });

  test("is not forgotten when the files say what is in force, and there is none of nothing", async () => {
    await trying({ body: running });
    const { code, stdout, stderr } = await applying(["--canary", "50", "--json"], "services: {s: {}}");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: "but revision 5 is tried on 30 % of the clients: `sluice canary abort` ends that\n",
    });
    expect(JSON.parse(stdout)).toMatchObject({ revision: 4, inForce: 4, percent: null });
    await gateway.close();
    gateway = await fakeGateway(() => problem(503, "gateway_unconfigured"));
    expect(await applying(["--canary", "50"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no configuration yet"),
    });
    expect(gateway.asked.filter(({ method }) => method === "PUT")).toEqual([]);
  });

  test("is shown with its changes by name, and that not all are listed", async () => {
    const changes = [{ op: "add", path: "/routes/1/hosts", to: ["a.example"] }];
    const routes = [{ name: "first" }, { name: "r", service: "s", hosts: ["a.example"] }];
    await trying({ body: running }, ({ path }) =>
      path === "/v1/config/diff?from=4&to=5"
        ? { body: { from: 4, to: 5, changes, truncated: true } }
        : { body: { revision: 5, document: { ...inForce, routes } } },
    );
    const { code, stdout, stderr } = await run(["canary"], { env: gateway.env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "only the first 1 change of more\n" });
    expect(stdout.split("\n").slice(0, 3)).toEqual([
      "revision 5 is tried on 30 % of the clients since 2026-01-02T03:04:05.000Z; revision 4 is in force",
      "",
      "+ /routes/r/hosts",
    ]);
    const json = JSON.parse((await run(["canary", "--json"], { env: gateway.env })).stdout);
    expect(json).toEqual({ inForce: 4, canary: running, changes, truncated: true });
  });

  test("that does not run is said plainly, and cannot be ended", async () => {
    await trying(none, () => none);
    expect(await run(["canary"], { env: gateway.env })).toEqual({
      ...{ code: 0, stderr: "", stdout: "no canary is running: revision 4 is in force for all clients\n" },
    });
    const json = JSON.parse((await run(["canary", "--json"], { env: gateway.env })).stdout);
    expect(json).toEqual({ inForce: 4, canary: null, changes: [], truncated: false });
    for (const action of ["promote", "abort"])
      expect(await run(["canary", action], { env: gateway.env })).toMatchObject({ code: 1 });
    expect((await run(["canary", "end"], { env: gateway.env })).stderr).toContain("none of promote, abort");
  });
});

describe("sync on a terminal", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-sync-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const answering = async (answer: string) => {
    const path = join(folder, "sluice.yaml");
    writeFileSync(path, "services: {a: {}}");
    gateway = await fakeGateway(({ method }) =>
      method === "GET" ? document(1, { services: { "\u001b[2Jgone": {} } }) : applied(2),
    );
    return run(["sync", "-f", path], { env: { ...gateway.env, NO_COLOR: "1" }, input: answer, isTerminal: true });
  };

  test("asks before it removes, and takes yes for an answer", async () => {
    const { code, stderr } = await answering("yes\n");
    expect(code).toBe(0);
    expect(stderr).toContain("- /services/\ufffd[2Jgone\nRemove them? [y/N] ");
    expect(gateway.asked.map(({ method }) => method)).toEqual(["GET", "PUT"]);
  });

  test.each(["no\n", "\n", ""])("takes %j for no", async (answer) => {
    expect(await answering(answer)).toMatchObject({ code: 1, stderr: expect.stringContaining("nothing was changed") });
    expect(gateway.asked.map(({ method }) => method)).toEqual(["GET"]);
  });
});

describe("watch", () => {
  /** Replies in turn, then stops the command. */
  async function watching(args: string[], replies: Reply[]) {
    const stopping = new AbortController();
    gateway = await fakeGateway((_, index) => {
      if (index < replies.length) return replies[index]!;
      stopping.abort();
      return {};
    });
    return run(["watch", ...args], { env: gateway.env, stopping: stopping.signal });
  }
  const froms = (asked: readonly Asked[]) =>
    asked.map(({ path }) => new URL(path, "http://x").searchParams.get("from"));
  const event = (revision: number, type = "registered") => ({ revision, type, origin: "a" });

  test("resumes after a broken connection, and goes on behind what is not kept any more", async () => {
    const { code, stdout } = await watching(
      ["users", "--json"],
      [
        { body: { revision: 3, events: [] } },
        { body: { revision: 5, events: [event(4), event(5)] } },
        ...Array.from({ length: limits.readTriesMax }, () => ({ isCut: true })),
        problem(410, "compacted", { revision: 9 }),
        { body: { revision: 10, events: [event(10, "expired")] } },
      ],
    );
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([event(4), event(5), { type: "compacted", revision: 9 }, event(10, "expired")]);
    expect(froms(gateway.asked)).toEqual([null, "3", "5", "5", "5", "5", "9", "10"]);
  });

  test("ends with 1 when the first answer, or any, is a refusal", async () => {
    expect(await watching(["users"], [problem(404, "service_unknown")])).toMatchObject({ code: 1 });
    await gateway.close();
    expect(
      await watching(["--from", "7"], [{ body: { version: 7, events: [] } }, problem(401, "unauthorized")]),
    ).toMatchObject({
      code: 1,
    });
  });
});

describe("register --keep", () => {
  test("goes on through failures, and says at the end that it could not leave", async () => {
    const stopping = new AbortController();
    const lease = {
      service: "s",
      origin: "o",
      leaseId: "l",
      ttlSeconds: 5,
      heartbeatSeconds: 0.01,
      revision: 1,
      expiresAt: "",
    };
    gateway = await fakeGateway(({ method, path }, index) => {
      if (method === "PUT") return { body: lease };
      if (index === 1) return problem(503, "control_plane_unavailable");
      if (index === 2) return problem(404, "lease_not_found");
      if (index === 5) stopping.abort();
      return path.endsWith("/drain") ? problem(503, "control_plane_unavailable") : {};
    });
    const args = ["register", "s", "http://10.0.0.1", "--id", "o", "--keep", "--json"];
    const { code, stdout } = await run(args, { env: gateway.env, stopping: stopping.signal });
    expect(code).toBe(1);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).event);
    expect(events).toEqual(["registered", "failed", "lost", "registered", "failed"]);
  });

  test("a registration that is refused ends it", async () => {
    gateway = await fakeGateway(() => problem(400, "invalid_request"));
    expect(await run(["register", "s", "x", "--keep"], { env: gateway.env })).toMatchObject({ code: 1 });
  });
});

describe("status on a terminal", () => {
  const service = { service: "s", revision: 1, frozen: true, origins: [] };
  const breakers = {
    ...{ service: "s", revision: 1, forced: "disabled", isolates: 1 },
    breakers: [
      { version: "v1", state: "open", forced: "auto" },
      { version: "", state: "closed", forced: "forced-open" },
    ],
    ejected: [{ origin: "a" }],
  };
  const replies = ({ path }: Asked): Reply => {
    if (path === "/health") return { body: { status: "ok", configRevision: 7, snapshotAgeMs: 12.3, version: "" } };
    if (path === "/v1/config/canary") return { body: { revision: 8, percent: 30, since: "" } };
    return { body: { services: [path.startsWith("/v1/services") ? service : breakers], next: null } };
  };

  test("is drawn again on a screen of its own, which it leaves at the end", async () => {
    const stopping = new AbortController();
    let looks = 0;
    gateway = await fakeGateway((asked) => {
      if (asked.path === "/health" && ++looks === 2) stopping.abort();
      return replies(asked);
    });
    const { code, stdout } = await run(["status"], { env: gateway.env, stopping: stopping.signal, isTerminal: true });
    expect(code).toBe(0);
    expect(stdout.startsWith("\u001b[?1049h")).toBe(true);
    expect(stdout.endsWith("\u001b[?1049l")).toBe(true);
    expect(stdout).toContain("revision 7, 12 ms old");
  });

  test("says what is odd, and with --once it is plain output", async () => {
    gateway = await fakeGateway(replies);
    const env = { ...gateway.env, NO_COLOR: "1" };
    const { stdout } = await run(["status", "--once"], { env, isTerminal: true });
    expect(stdout).not.toContain("\u001b");
    expect(stdout).toContain("disabled, v1 open, no version forced-open, 1 origin ejected");
    expect(stdout).toContain("frozen");
    expect(stdout).toMatch(/^revision 7, .*, canary: revision 8 is tried on 30 % of the clients$/m);
  });

  test("a gateway without a configuration is shown as such", async () => {
    gateway = await fakeGateway(({ path }) => {
      if (path === "/v1/config/canary") return problem(404, "not_found");
      return path === "/health"
        ? { status: 503, body: { status: "unconfigured", configRevision: 0, snapshotAgeMs: 0, version: "" } }
        : { body: { services: [], next: null } };
    });
    const { code, stdout } = await run(["status"], { env: gateway.env });
    expect(code).toBe(0);
    expect(stdout).toContain("unconfigured");
    expect(stdout).not.toContain("canary");
  });
});

test("lists that come in pages are read to the end", async () => {
  const page = (name: string, next: string | null) => ({ body: { services: [{ service: name, origins: [] }], next } });
  gateway = await fakeGateway(({ path }) => (path.includes("after=a") ? page("b", null) : page("a", "a")));
  const { stdout } = await run(["origins", "--json"], { env: gateway.env });
  expect(JSON.parse(stdout).services.map(({ service }: { service: string }) => service)).toEqual(["a", "b"]);
});

test("a terminal is told of what takes long, and of nothing else", async () => {
  gateway = await fakeGateway(async () => {
    await new Promise((resolve) => setTimeout(resolve, limits.progressAfterMs + 2 * limits.progressMs));
    return { body: { revisions: [], next: null } };
  });
  const slow = await run(["history"], { env: gateway.env, isTerminal: true });
  expect(slow.stderr).toMatch(/Reading http:\/\/127\.0\.0\.1:\d+ \.\.\. 1 s/);
  expect((await run(["history"], { env: gateway.env })).stderr).toBe("");
});
