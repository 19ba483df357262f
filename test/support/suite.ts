/** A gateway and an origin for one test file, and the check that the gateway's runtime has nothing to complain of. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { exchange, type Received, type Sent } from "./client.ts";
import { type Gateway, type GatewayOptions, startGateway } from "./gateway.ts";
import { type Origin, type Script, startOrigin } from "./origin.ts";

/** What a test file works with. Filled before its first test. */
export interface Suite {
  readonly gateway: Gateway;
  readonly origin: Origin;
  /** Forgets what the origin has got, and lets it answer by `script` (200 with an empty body when left out). */
  script(script?: Script): void;
  /** One exchange with the first isolate, on a connection of its own. */
  ask(sent?: Sent): Promise<Received>;
}

/**
 * Starts one gateway and one origin for the file. `configOf` makes the configuration from the origin's URL. A test during
 * which workerd has logged an uncaught exception fails.
 */
export function useSuite(
  configOf: (originUrl: string) => unknown,
  options: Omit<GatewayOptions, "config"> = {},
): Suite {
  const suite: { gateway: Gateway; origin: Origin } & Pick<Suite, "script" | "ask"> = {
    gateway: undefined as unknown as Gateway,
    origin: undefined as unknown as Origin,
    script: (script) => suite.origin.clear(script),
    ask: (sent = {}) => exchange(suite.gateway.url, sent),
  };
  beforeAll(async () => {
    suite.origin = await startOrigin();
    suite.gateway = await startGateway({ ...options, config: configOf(suite.origin.url) });
  });
  beforeEach(() => suite.script());
  expectNothingUncaught(() => suite.gateway);
  afterAll(async () => {
    await suite.gateway?.dispose();
    await suite.origin?.dispose();
  });
  return suite;
}

/** After each test of the file: fails it when workerd has logged an uncaught exception meanwhile. */
export function expectNothingUncaught(gatewayOf: () => Gateway): void {
  let seen = 0;
  afterEach(() => {
    const all = gatewayOf().uncaught();
    const fresh = all.slice(seen);
    seen = all.length;
    expect(fresh).toEqual([]);
  });
}

/** Resolves after `ms`; for scripts that make the gateway wait. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
