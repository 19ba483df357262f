import type { CheckSettings } from "../../../../src/core/checking/types.ts";

export const settings: CheckSettings = {
  path: "/healthz",
  intervalMs: 10_000,
  timeoutMs: 1_000,
  statuses: [
    [200, 299],
    [404, 404],
  ],
  healthyAfter: 2,
  unhealthyAfter: 3,
};
