import { expect, test } from "vitest";
import { canaryDocument } from "../../../src/snapshot/canary.ts";

const inForce = {
  gateway: { debugHeaders: false },
  rateLimits: { both: { windows: [{ limit: 1, seconds: 1 }] }, gone: { windows: [] } },
  services: {
    both: { circuitBreaker: { openSeconds: 5 }, maxConcurrentRequests: 7, loadBalancing: { policy: "random" } },
    bare: {},
    gone: {},
  },
  routes: [{ name: "old" }],
};
const canary = {
  gateway: { debugHeaders: true },
  rateLimits: { both: { windows: [{ limit: 9, seconds: 1 }] }, fresh: { windows: [{ limit: 3, seconds: 1 }] } },
  services: {
    both: { circuitBreaker: { openSeconds: 9 }, outlierDetection: {}, origins: [{ id: "a", url: "b" }] },
    bare: { healthCheck: {}, registration: { allowedHosts: ["a"] }, defaultVersion: "v1" },
    fresh: { circuitBreaker: {} },
  },
  routes: [{ name: "new" }],
};

test("what objects decide for all clients is that of the document in force, for all that both have; the rest is the canary's", () => {
  const before = structuredClone([inForce, canary]);
  expect(canaryDocument(inForce, canary)).toEqual({
    gateway: { debugHeaders: true },
    rateLimits: { both: inForce.rateLimits.both, fresh: canary.rateLimits.fresh },
    services: {
      both: { circuitBreaker: { openSeconds: 5 }, maxConcurrentRequests: 7, origins: [{ id: "a", url: "b" }] },
      bare: { defaultVersion: "v1" },
      fresh: { circuitBreaker: {} },
    },
    routes: [{ name: "new" }],
  });
  expect([inForce, canary]).toEqual(before);
});

test("a document without services or limits is what it is, and so is one after a document without any", () => {
  expect(canaryDocument(inForce, { routes: [] })).toEqual({ routes: [] });
  expect(canaryDocument({}, canary)).toEqual(canary);
});

test("names that objects inherit are names like any other", () => {
  const document = { services: { constructor: { circuitBreaker: {} } }, rateLimits: { toString: { windows: [] } } };
  expect(canaryDocument({ services: {}, rateLimits: {} }, document)).toEqual(document);
});
