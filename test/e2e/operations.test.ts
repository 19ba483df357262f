/** docs/operations.md, followed literally: every command of the page, in its order, in one shell. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { projectDir } from "../support/bundle.ts";
import { runNode } from "../support/cli.ts";
import { type Gateway, startGateway, tokens } from "../support/gateway.ts";

const page = readFileSync(join(projectDir, "docs/operations.md"), "utf8");

let folder: string;
let staging: Gateway;
/** Of `production` and `recovery` by name: a new secret starts them anew, behind the same URL. */
const others = new Map<string, { gateway: Gateway; readonly door: Server; readonly url: string }>();
let wrangler: HttpServer;
/** What `npx wrangler` was told. */
const orders: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-operations-"));
  for (const [, name, text] of page.matchAll(/^`([\w.]+)`:\n\n```yaml\n([\s\S]*?)^```/gm)) {
    writeFileSync(join(folder, name!), text!);
  }
  staging = await startGateway();
  for (const name of ["production", "recovery"]) {
    const persist = join(folder, `state-${name}`);
    const door = createServer((socket) => {
      const { port } = new URL(others.get(name)!.gateway.url);
      const inside = connect(Number(port), "127.0.0.1");
      socket.pipe(inside).pipe(socket);
      socket.on("error", () => inside.destroy());
      inside.on("error", () => socket.destroy());
    });
    const gateway = await startGateway({ persist });
    others.set(name, { gateway, door, url: await listening(door) });
  }
  wrangler = createHttpServer(async (request, response) => {
    let secret = "";
    for await (const chunk of request) secret += chunk;
    const order = decodeURIComponent(request.url!.slice(1));
    orders.push(order);
    const [, name] = /^secret put ADMIN_TOKEN --env (\w+)$/.exec(order) ?? [];
    if (name !== undefined) await giveToken(name, secret.trim());
    response.end();
  });
  writeFileSync(join(folder, "npx"), shim(await listening(wrangler)));
  chmodSync(join(folder, "npx"), 0o755);
});

afterAll(async () => {
  wrangler?.close();
  await staging?.dispose();
  for (const { gateway, door } of others.values()) {
    door.close();
    await gateway.dispose();
  }
  rmSync(folder, { recursive: true, force: true });
});

/** `npx`: the CLI of this project; what wrangler is told goes to the server above. */
function shim(control: string): string {
  return `#!${process.execPath}
const [, , tool, ...args] = process.argv;
if (tool === "sluice") {
  process.argv.splice(1, 2, "sluice");
  await import(${JSON.stringify(join(projectDir, "cli/bin.js"))});
} else {
  const input = args[0] === "secret" ? (await import("node:fs")).readFileSync(0, "utf8") : "";
  await fetch(${JSON.stringify(control)} + "/" + encodeURIComponent(args.join(" ")), { method: "POST", body: input });
}
`;
}

async function giveToken(name: string, token: string): Promise<void> {
  const other = others.get(name)!;
  await other.gateway.dispose();
  other.gateway = await startGateway({ persist: join(folder, `state-${name}`), vars: { ADMIN_TOKEN: token } });
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The commands of the page, section by section, and what each section printed on both outputs. */
async function follow(): Promise<Map<string, string>> {
  const sections = page.split(/^## /m).map((text) => ({
    title: text.slice(0, text.indexOf("\n")),
    commands: [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, commands]) => commands).join(""),
  }));
  const mark = "@@@";
  const script = sections.map(({ title, commands }) => `echo '${mark}${title}'\n${commands}`).join("\n");
  const child = spawn("sh", ["-e"], {
    cwd: folder,
    env: {
      ...{ PATH: folder + delimiter + process.env.PATH, HOME: folder },
      ...{ STAGING_URL: staging.url, STAGING_TOKEN: tokens.admin },
      ...{ PRODUCTION_URL: others.get("production")!.url, PRODUCTION_TOKEN: tokens.admin },
      RECOVERY_URL: others.get("recovery")!.url,
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  child.stdin.end(`exec 2>&1\n${script}`);
  const [code] = await once(child, "close");
  expect(code, output).toBe(0);
  const printed = output.split(mark).slice(1);
  return new Map(printed.map((text) => [text.slice(0, text.indexOf("\n")), text.slice(text.indexOf("\n") + 1)]));
}

it("every command of the page does what the page says", async () => {
  const said = await follow();
  expect([...said.keys()].slice(1)).toEqual([
    ...[
      "Environments",
      "Promotion",
      "Drift",
      "Rollback drill",
      "Trying a change on some clients",
      "Disaster recovery",
      "Rotating tokens",
      "Origins by hand",
    ],
  ]);
  expect(said.get("Environments")).toMatch(/is right[\s\S]*is right[\s\S]*"requestMs": 60000[\s\S]*would be made/);
  expect(said.get("Promotion")).toMatch(
    /orders \(every host, prefix \/orders\)[\s\S]*exit status 2\n[\s\S]*revision 1 is in force\n$/,
  );
  expect(said.get("Drift")).toBe("no changes against revision 1\n");
  expect(said.get("Rollback drill")).toMatch(
    /drill: a mistake[\s\S]*revision 3 is in force[\s\S]*no changes against revision 3\n$/,
  );
  const trying = said.get("Trying a change on some clients")!;
  expect(trying).toMatch(
    /revision 4 is tried on 10 % of the clients; revision 3 is in force\n[\s\S]*^~ \/routes\/orders\/timeouts\/requestMs/m,
  );
  expect(trying).toMatch(/, canary: revision 4 is tried[\s\S]*^the canary is ended: revision 3 is in force for all/m);
  expect(trying).toMatch(
    /revision 5 is tried on 50 %[\s\S]*promoted: revision 5 is in force for all clients\nno changes against revision 5\n$/,
  );
  expect(said.get("Disaster recovery")).toMatch(
    /no changes against revision 1\n[\s\S]*revision 1, [\s\S]*^users +0 +0/m,
  );
  expect(said.get("Rotating tokens")).toMatch(/^5 .*more time for orders$/m);
  expect(said.get("Origins by hand")).toMatch(/^users +users-a +ready +v1[\s\S]*is draining/m);
  const old = await fetch(`${others.get("production")!.url}/_sluice/v1/config`, {
    headers: { authorization: `Bearer ${tokens.admin}` },
  });
  expect(old.status).toBe(401);
}, 120_000);

it("wrangler has the commands and options that the page uses", async () => {
  expect(orders).toEqual([
    "deploy --env recovery",
    "secret put ADMIN_TOKEN --env recovery",
    "secret put ADMIN_TOKEN --env production",
  ]);
  for (const command of [["deploy"], ["secret", "put"]]) {
    const help = await runNode([join(projectDir, "node_modules/wrangler/bin/wrangler.js"), ...command, "--help"]);
    expect(help.stdout).toContain(`wrangler ${command.join(" ")}`);
    expect(help.stdout).toMatch(/--env\b/);
  }
});
