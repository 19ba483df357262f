/** A gateway before some origins that can be switched, for one test file. */
import { afterAll, beforeAll, beforeEach } from "vitest";
import { exchange, type Received, type Sent } from "./client.ts";
import { type Farm, startFarm } from "./farm.ts";
import { type Gateway, type GatewayOptions, startGateway } from "./gateway.ts";
import { expectNothingUncaught } from "./suite.ts";

/** A farm and a gateway for one test file. Filled before its first test. */
export interface FarmSuite {
  readonly gateway: Gateway;
  readonly farm: Farm;
  /** One exchange on a connection of its own; with the first isolate unless `isolate` says otherwise. */
  ask(sent?: Sent, isolate?: number): Promise<Received>;
}

/**
 * Starts a farm and a gateway for the file, and resets the farm before each test. `configOf` makes the configuration from
 * the origins' URLs. A test during which workerd has logged an uncaught exception fails.
 */
export function useFarm(
  count: number,
  configOf: (urls: readonly string[]) => unknown,
  options: Omit<GatewayOptions, "config"> = {},
): FarmSuite {
  const suite: { gateway: Gateway; farm: Farm } & Pick<FarmSuite, "ask"> = {
    gateway: undefined as unknown as Gateway,
    farm: undefined as unknown as Farm,
    ask: (sent = {}, isolate = 0) => exchange(suite.gateway.urls[isolate]!, sent),
  };
  beforeAll(async () => {
    suite.farm = await startFarm(count);
    suite.gateway = await startGateway({ ...options, config: configOf(suite.farm.origins.map(({ url }) => url)) });
  });
  beforeEach(() => suite.farm.reset());
  expectNothingUncaught(() => suite.gateway);
  afterAll(async () => {
    await suite.gateway?.dispose();
    await suite.farm?.dispose();
  });
  return suite;
}
