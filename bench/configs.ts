/** The configurations under which the gateway is measured. */

/** Everything that decides about a plain request, with nothing going wrong. */
const everything = {
  retries: {},
  traffic: [
    { versionFrom: { header: "api-version" } },
    { when: { headers: [{ name: "x-canary", exact: "always" }] }, version: "v2" },
    {
      split: [
        { version: "v1", weight: 95 },
        { version: "v2", weight: 5 },
      ],
      stickyBy: ["header:x-user-id", "ip"],
    },
  ],
};

const versionsOf = (origin: string) => [
  { id: "v1-a", url: origin, version: "v1" },
  { id: "v1-b", url: origin, version: "v1" },
  { id: "v2-a", url: origin, version: "v2" },
];

const prefix = (path: string) => [{ path: { prefix: path } }];

/** One route to one origin. */
export function minimalConfig(origin: string) {
  return {
    services: { all: { origins: [{ id: "a", url: origin }] } },
    routes: [{ name: "all", service: "all" }],
  };
}

/** Routes with everything on: `/plain`, `/upload`, `/limited`, `/keys`, `/denied` and `/thousand`. */
export function fullConfig(origin: string, debugHeaders = false) {
  const route = (name: string, more: object = {}) => ({
    ...{ name, service: "all", matches: prefix(`/${name}`) },
    ...everything,
    ...more,
  });
  return {
    gateway: { debugHeaders },
    services: { all: { circuitBreaker: {}, outlierDetection: {}, origins: versionsOf(origin) } },
    rateLimits: {
      hot: { windows: [{ limit: 100_000_000, seconds: 60 }], key: ["global"] },
      // Leases of five minutes that begin and end at any time, not with the day.
      "by-client": { windows: [{ limit: 1_000_000, seconds: 86_400 }], key: ["header:x-client-id"] },
      once: { windows: [{ limit: 1, seconds: 3_600 }], key: ["global"] },
      thousand: { windows: [{ limit: 60_000, seconds: 60 }], key: ["global"] },
    },
    routes: [
      route("plain"),
      route("upload"),
      route("limited", { rateLimits: ["hot"] }),
      route("keys", { rateLimits: ["by-client"] }),
      route("denied", { rateLimits: ["once"] }),
      route("thousand", { rateLimits: ["thousand"] }),
    ],
  };
}

/** Path of a request that only the route of that index matches. */
export const pathOfRoute = (index: number) => `/team-${index % 25}/service-${index}/item`;

/** So many routes by prefix, each with everything on. */
export function routesConfig(count: number, origin: string) {
  return {
    services: { all: { circuitBreaker: {}, outlierDetection: {}, origins: versionsOf(origin) } },
    routes: Array.from({ length: count }, (_, index) => ({
      name: `route-${index}`,
      service: "all",
      matches: prefix(pathOfRoute(index).replace(/\/item$/, "")),
      ...everything,
    })),
  };
}

/** One service of so many origins, which are one server under many paths. */
export function originsConfig(count: number, origin: string) {
  const origins = Array.from({ length: count }, (_, index) => ({ id: `o-${index}`, url: `${origin}/o-${index}` }));
  return {
    services: { all: { circuitBreaker: {}, outlierDetection: {}, origins } },
    routes: [{ name: "all", service: "all", retries: {} }],
  };
}
