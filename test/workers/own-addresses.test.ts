/** Which requests are the gateway's own, and that no trick makes traffic of them or them of traffic. */
import { createExecutionContext, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import worker from "../../src/index.ts";

afterEach(() => reset());

/** "own" or "traffic": before the first configuration all traffic is 503 `gateway_unconfigured`. */
async function kindOf(url: string, headers: Record<string, string> = {}, adminHost?: string): Promise<string> {
  const request = new Request(url, { headers }) as Parameters<typeof worker.fetch>[0];
  const bindings = adminHost === undefined ? env : { ...env, ADMIN_HOST: adminHost };
  const response = await worker.fetch(request, bindings, createExecutionContext());
  const text = await response.text();
  return text.includes("gateway_unconfigured") ? "traffic" : "own";
}

describe("without ADMIN_HOST", () => {
  it.each([
    ["https://any.example.com/_sluice/health", "own"],
    ["https://any.example.com/_sluice/no-such-thing", "own"],
    ["https://any.example.com/_sluice", "own"],
    ["https://any.example.com/%5Fsluice/health", "own"],
    ["https://any.example.com/_%73luice/health", "own"],
    ["https://any.example.com/a/../_sluice/health", "own"],
    ["https://any.example.com/a/%2e%2e/_sluice/health", "own"],
    ["https://any.example.com/_sluicer", "traffic"],
    ["https://any.example.com/_Sluice/health", "traffic"],
    ["https://any.example.com//_sluice/health", "traffic"],
    ["https://any.example.com/_sluice%2Fhealth", "traffic"],
    ["https://any.example.com/x/_sluice/health", "traffic"],
    ["https://any.example.com/?/_sluice/health", "traffic"],
  ])("%s is %s", async (url, kind) => expect(await kindOf(url)).toBe(kind));
});

describe("with ADMIN_HOST", () => {
  const adminHost = "Admin.example.com";

  it.each([
    ["https://admin.example.com/_sluice/health", {}, "own"],
    ["https://admin.example.com:8443/_sluice/health", {}, "own"],
    ["https://admin.example.com./_sluice/health", {}, "own"],
    ["https://api.example.com/_sluice/health", {}, "traffic"],
    ["https://api.example.com/_sluice/v1/config", { "x-forwarded-host": adminHost }, "traffic"],
    [
      "https://api.example.com/_sluice/v1/config",
      { "x-original-host": adminHost, forwarded: `host=${adminHost}` },
      "traffic",
    ],
    ["https://admin.example.com.evil.example.org/_sluice/health", {}, "traffic"],
    ["https://admin.example.com/api", {}, "traffic"],
  ])("%s %j is %s", async (url, headers, kind) => expect(await kindOf(url, headers, adminHost)).toBe(kind));
});
