/** Good documents: between them every part of the configuration. */
import { contractExample } from "../../unit/snapshot/contract-example.ts";

const { services, rateLimits, routes } = contractExample;
const [users] = routes;
const { traffic, matches, rewrite, cors, retries, timeouts, mirror } = users!;

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: placeholders of the configuration.
/** Small ones, so that one change hits what it may. */
export const smallConfigs: readonly unknown[] = [
  {},
  { gateway: { trustedProxyHops: 1, maxBodyBytes: 10, allowFaults: true, debugHeaders: true } },
  { services: { users: services.users } },
  { services: { a: { healthCheck: {}, outlierDetection: {}, circuitBreaker: {}, adaptiveConcurrency: {} } } },
  { services: { a: { clientThrottling: {}, loadBalancing: { zones: { map: { NO: "eu" } } }, versions: { v1: {} } } } },
  { rateLimits },
  {
    rateLimits: {
      a: { algorithm: "token-bucket", rate: 5, burst: 10, key: ["ip"] },
      b: { algorithm: "leaky-bucket", rate: 1, burst: 1, maxDelayMs: 100, key: ["global"] },
      c: { algorithm: "calendar-window", windows: [{ limit: 5, per: "day", timeZone: "UTC" }], key: ["cookie:a"] },
    },
  },
  { services: { users: {} }, routes: [{ name: "a", service: "users", matches }] },
  { services: { users: {} }, routes: [{ name: "a", service: "users", traffic }] },
  {
    services: { users: {} },
    routes: [{ name: "a", hosts: ["*.example.com", "[::1]"], service: "users", rewrite, response: { setHeaders: {} } }],
  },
  { services: { users: {}, audit: {} }, routes: [{ name: "a", service: "users", cors, retries, timeouts, mirror }] },
  {
    services: { users: {} },
    routes: [{ name: "a", service: "users", hedging: {}, fallback: { status: 200, headers: {}, body: { a: [null] } } }],
  },
  { routes: [routes[1], { name: "b", redirect: { path: { replacePrefixMatch: "" } } }] },
  {
    services: { users: { origins: [{ id: "a", url: "${URL}" }] } },
    routes: [{ name: "a", service: "users", rewrite: { setHeaders: { authorization: "${SECRET}" } } }],
  },
  {
    services: { users: {} },
    routes: [
      { name: "a", matches: [{ path: { regex: "/a(b|c)*/\\d{1,8}" } }], service: "users" },
      { name: "b", matches: [{ path: { pattern: "/users/:id/*" }, methods: ["GET"] }], service: "users" },
      { name: "c", matches: [{ headers: [{ name: "x-a", regex: "(a|b)+" }] }], service: "users" },
    ],
  },
  {
    gateway: { allowFaults: true },
    services: { users: {} },
    routes: [{ name: "a", service: "users", faults: [{ delayMs: 1, percent: 5 }, { abort: { status: 503 } }] }],
  },
];

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: placeholders of the configuration.
/** The whole example of the contract. */
export const wholeConfig: unknown = contractExample;
