/** docs/getting-started.md, "An origin of yours", followed literally but for the two ports. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { projectDir } from "../support/bundle.ts";
import { type HttpOrigin, startHttpOrigin } from "../support/http-origin.ts";
import { type DevGateway, startWranglerDev } from "../support/wrangler-dev.ts";

let state: string;
let origin: HttpOrigin;
let gateway: DevGateway;

beforeAll(async () => {
  state = await mkdtemp(join(tmpdir(), "sluice-started-"));
  origin = await startHttpOrigin("hello from port 3000");
  gateway = await startWranglerDev(state, ".dev.vars.example");
});

afterAll(async () => {
  await gateway?.kill();
  await origin?.close();
  await rm(state, { recursive: true, force: true });
});

it("the commands of the page lead to an answer of the origin", async () => {
  const page = readFileSync(join(projectDir, "docs/getting-started.md"), "utf8");
  const [, block] = /^```sh\n(SLUICE=[\s\S]*?)^```/m.exec(page) ?? [];
  const commands = block!.replace("http://127.0.0.1:8787", gateway.url).replace("http://127.0.0.1:3000", origin.url);
  const last = commands.trimEnd().split("\n").at(-1)!;
  // A person needs longer than a second to type the last line.
  const script = commands.replace(last, `sleep 1\n${last}`);
  const { stdout } = await promisify(execFile)("sh", ["-ec", script]);
  expect(stdout).toContain("hello from port 3000");
});
