/** The example document of the contract, with the service that its mirror names and the contract takes for granted. */
export const contractExample = {
  $schema: "./sluice.schema.json",
  gateway: { trustedProxyHops: 0, debugHeaders: false, echoRequestId: false, maxBodyBytes: 104857600 },
  services: {
    users: {
      origins: [{ id: "users-a", url: "https://users-a.example.com", version: "v1", weight: 1, zone: "eu" }],
      defaultVersion: "v1",
      registration: {
        allowedHosts: ["*.internal.example.com"],
        ttlSeconds: { default: 15, min: 5, max: 300 },
      },
      loadBalancing: { policy: "least-request", hashOn: ["header:x-user-id", "ip"] },
      healthCheck: { path: "/healthz", intervalSeconds: 10, timeoutMs: 1000, healthyAfter: 2, unhealthyAfter: 3 },
      outlierDetection: { consecutiveFailures: 5, baseEjectionSeconds: 30, maxEjectionPercent: 10 },
      circuitBreaker: {
        windowSeconds: 10,
        minimumRequests: 20,
        failureRate: 0.5,
        slowCallMs: 2000,
        slowCallRate: 1,
        openSeconds: 5,
        maxOpenSeconds: 60,
        halfOpenProbes: 3,
        recoverySeconds: 10,
      },
      maxConcurrentRequests: 0,
    },
    audit: {},
  },
  rateLimits: {
    "per-client": {
      algorithm: "sliding-window",
      windows: [
        { limit: 10, seconds: 1 },
        { limit: 1000, seconds: 3600 },
      ],
      key: ["header:x-client-id", "ip"],
      cost: 1,
      consistency: "leased",
      onUnavailable: "share",
      overrides: [{ key: "header:x-client-id=gold-*", windows: [{ limit: 100, seconds: 1 }] }],
      mode: "enforce",
      headers: "draft",
    },
  },
  routes: [
    {
      name: "users",
      hosts: ["api.example.com", "*.example.com"],
      matches: [
        {
          path: { prefix: "/api/users" },
          methods: ["GET"],
          headers: [{ name: "x-tenant", exact: "acme" }],
          query: [{ name: "beta", present: true }],
        },
      ],
      service: "users",
      traffic: [
        { versionFrom: { header: "api-version" }, onUnknown: "reject" },
        { when: { headers: [{ name: "x-canary", exact: "always" }] }, version: "v2" },
        {
          when: { cookies: [{ name: "beta", exact: "1" }], country: ["NO", "DK"], ip: ["10.0.0.0/8"] },
          version: "v2",
        },
        {
          split: [
            { version: "v1", weight: 95 },
            { version: "v2", weight: 5, rewrite: {} },
          ],
          stickyBy: ["header:x-user-id", "ip"],
        },
      ],
      rewrite: {
        stripPrefix: "/api",
        path: { replacePrefixMatch: "/v3" },
        setHeaders: {},
        addHeaders: {},
        removeHeaders: [],
      },
      response: { setHeaders: {}, addHeaders: {}, removeHeaders: [] },
      cors: {
        allowOrigins: ["https://*.example.com"],
        allowMethods: [],
        allowHeaders: [],
        exposeHeaders: [],
        allowCredentials: false,
        maxAge: 5,
      },
      rateLimits: ["per-client"],
      timeouts: { requestMs: 30000, attemptMs: 0, idleMs: 60000 },
      retries: {
        attempts: 2,
        codes: [502, 503, 504],
        backoffMs: 25,
        maxBackoffMs: 250,
        bodyBytes: 65536,
        budget: { percent: 20, minPerSecond: 10 },
      },
      mirror: [{ version: "v2", percent: 10 }, { service: "audit" }],
      fallback: { status: 200, headers: {}, body: { users: [] } },
    },
    {
      name: "old",
      matches: [{ path: { exact: "/old" } }],
      redirect: {
        scheme: "https",
        hostname: "www.example.com",
        port: 443,
        path: { replaceFullPath: "/new" },
        statusCode: 301,
      },
    },
  ],
};
