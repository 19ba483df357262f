/** What somebody sees who has just cloned the repository: `npm start`, the lines that it prints, Ctrl-C. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { projectDir } from "../support/bundle.ts";

const run = promisify(execFile);
const startMsMax = 90_000;
const everythingRuns = "Ctrl-C ends";

interface Run {
  readonly url: string;
  readonly port: number;
  readonly child: ChildProcess;
  readonly exit: Promise<unknown[]>;
  output(): string;
}

const runs: Run[] = [];
const state = mkdtempSync(join(tmpdir(), "sluice-first-run-"));
afterAll(() => rmSync(state, { recursive: true, force: true }));

/** `npm start` as the leader of a process group, as in a terminal. */
function npmStart(port: number): Run {
  const args = ["start", "--", "--port", `${port}`, "--persist-to", join(state, `${port}`)];
  const child = spawn("npm", args, { cwd: projectDir, detached: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const started = { url: `http://127.0.0.1:${port}`, port, child, exit: once(child, "exit"), output: () => output };
  runs.push(started);
  return started;
}

async function untilEverythingRuns({ output, child }: Run): Promise<void> {
  const deadline = Date.now() + startMsMax;
  while (!output().includes(everythingRuns)) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`npm start did not get ready:\n${output()}`);
    await sleep(100);
  }
}

/** What Ctrl-C in a terminal does: every process of the group gets the signal. */
function interrupt({ child }: Run): void {
  process.kill(-child.pid!, "SIGINT");
}

async function processes() {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid=,stat=,args="]);
  const rows = stdout.split("\n").map((line) => /^ *(\d+) +(\d+) +(\S+) +(.*)$/.exec(line));
  return rows
    .filter((row) => row !== null && !row[3]!.startsWith("Z"))
    .map((row) => ({ pid: Number(row![1]), parent: Number(row![2]), command: row![4]! }));
}

/** The run's process and all that descend from it. */
async function family({ child }: Run) {
  const all = await processes();
  const pids = new Set([child.pid!]);
  for (let size = 0; size < pids.size; ) {
    size = pids.size;
    for (const { pid, parent } of all) if (pids.has(parent)) pids.add(pid);
  }
  return all.filter(({ pid }) => pids.has(pid));
}

/** Those of `before` that still run after a moment, and whoever mentions the port. */
async function leftOf(before: Awaited<ReturnType<typeof family>>, port: number) {
  await sleep(300);
  const known = new Set(before.map(({ pid }) => pid));
  return (await processes()).filter(({ pid, command }) => known.has(pid) || command.includes(`127.0.0.1:${port}`));
}

async function listenOn(port: number) {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => new Promise((resolve) => server.close(resolve)) };
}

async function freePort(): Promise<number> {
  const { port, close } = await listenOn(0);
  await close();
  return port;
}

/** The requests that were shown: a line after "$ ", and what it answered, up to the next empty line. */
function shownRequests(output: string): { line: string; answer: string }[] {
  return [...output.matchAll(/^\$ (.+)\n([\s\S]*?)\n\n/gm)].map(([, line, answer]) => ({
    line: line!,
    answer: answer!,
  }));
}

async function answerOf({ url }: Run, path: string, headers: Record<string, string>) {
  const response = await fetch(url + path, { headers });
  return (await response.json()) as { version: string; origin: string; path: string };
}

async function endAll(): Promise<void> {
  for (const started of runs.splice(0)) {
    if (started.child.exitCode === null && started.child.signalCode === null) interrupt(started);
    await started.exit;
  }
}

describe("npm start", { timeout: startMsMax }, () => {
  let started: Run;
  beforeAll(async () => {
    started = npmStart(await freePort());
    await untilEverythingRuns(started);
  }, startMsMax);
  afterAll(endAll);

  it("shows requests that give the shown answers to whoever repeats them", async () => {
    const requests = shownRequests(started.output());
    expect(requests).toHaveLength(5);
    for (const { line, answer } of [...requests, ...requests]) {
      const { stdout } = await run("sh", ["-c", line]);
      expect(stdout.trimEnd(), line).toBe(answer);
    }
  });

  it("shows both versions, an error and the three origins", () => {
    const [plain, canary, asked, nowhere, listing] = shownRequests(started.output()).map(({ answer }) => answer);
    expect(plain).toBe('"version":"v1"');
    expect(JSON.parse(canary!)).toMatchObject({ service: "users", version: "v2", method: "GET", path: "/users/42" });
    expect(JSON.parse(asked!)).toMatchObject({ version: "v2" });
    expect(JSON.parse(nowhere!)).toMatchObject({ status: 404, code: "route_not_found" });
    const origins = ["users-v1-a", "users-v1-b", "users-v2-a"];
    expect(listing).toBe(origins.map((id) => `"id":"${id}"\n"state":"ready"`).join("\n"));
  });

  it("splits users 95 to 5, always alike for one user, over every origin of the version", async () => {
    const users = Array.from({ length: 200 }, (_, index) => `user-${index}`);
    const versions = new Map<string, string>();
    const origins = new Set<string>();
    for (const user of [...users, ...users]) {
      const { version, origin, path } = await answerOf(started, "/api/users/42", { "x-user-id": user });
      expect(version, user).toBe(versions.get(user) ?? version);
      expect(path).toBe("/users/42");
      versions.set(user, version);
      origins.add(origin);
    }
    const v2 = [...versions.values()].filter((version) => version === "v2").length;
    // 10 are expected, with a standard deviation of 3.1.
    expect(v2).toBeGreaterThan(0);
    expect(v2).toBeLessThan(25);
    expect([...origins].sort()).toEqual(["users-v1-a", "users-v1-b", "users-v2-a"]);
  });

  it("gives every user v2 who asks for the canary", async () => {
    for (let user = 0; user < 40; user++) {
      const headers = { "x-user-id": `user-${user}`, "x-canary": "always" };
      expect((await answerOf(started, "/api/users/42", headers)).version).toBe("v2");
    }
  });

  it("refuses a port in use and says what to do", async () => {
    const { exit, output } = npmStart(started.port);
    expect((await exit)[0]).toBe(1);
    expect(output()).toContain(`port ${started.port} is in use; choose another one: npm start -- --port`);
  });

  it("leaves nothing running after Ctrl-C and ends with 0, the origins before the gateway", async () => {
    const before = await family(started);
    expect(before.filter(({ command }) => command.includes("server.mjs"))).toHaveLength(3);
    expect(before.some(({ command }) => command.includes("workerd"))).toBe(true);
    interrupt(started);
    expect(await started.exit).toEqual([0, null]);
    expect(await leftOf(before, started.port)).toEqual([]);
    expect(started.output().match(/is deregistered/g)).toHaveLength(3);
    await (await listenOn(started.port)).close();
  });
});

describe("npm start", { timeout: startMsMax }, () => {
  afterEach(endAll);

  it.each([
    ["origin", "server.mjs", /origin users-v\d-[ab] ended unexpectedly \(SIGKILL\)/],
    ["gateway", "bin/wrangler.js", /the gateway ended unexpectedly \(SIGKILL\)/],
  ])("says so and ends everything with 1 when the %s dies", async (_, command, message) => {
    const started = npmStart(await freePort());
    await untilEverythingRuns(started);
    const before = await family(started);
    process.kill(before.find((candidate) => candidate.command.includes(command))!.pid, "SIGKILL");
    expect(await started.exit).toEqual([1, null]);
    expect(started.output()).toMatch(message);
    expect(await leftOf(before, started.port)).toEqual([]);
  });

  it("can be interrupted while it starts", async () => {
    const started = npmStart(await freePort());
    while (!started.output().includes("Starting the gateway")) await sleep(50);
    await sleep(300);
    const before = await family(started);
    interrupt(started);
    expect(await started.exit).toEqual([0, null]);
    expect(await leftOf(before, started.port)).toEqual([]);
  });
});
