/** The calls of the admin API that take a body, each with bodies that it accepts. */
import { smallConfigs, wholeConfig } from "./samples.ts";

/** What a call may change. */
export type Domain = "config" | "registry" | "breakers" | "nothing";

/** One call. `targets`: taken in turn. */
export interface AdminCall {
  /** As the OpenAPI document has it. */
  readonly name: string;
  readonly method: string;
  readonly targets: readonly string[];
  readonly domain: Domain;
  readonly good: readonly unknown[];
}

/** Origins that fuzzing registers, and drains. */
export const fuzzedOrigins = ["fuzz-0", "fuzz-1", "fuzz-2", "fuzz-3"];

/** The configuration in which every call is played. */
export const standardConfig = {
  gateway: { trustedProxyHops: 1 },
  services: { users: { origins: [{ id: "listed", url: "http://192.0.2.1" }], circuitBreaker: {} }, orders: {} },
  rateLimits: { "per-client": { windows: [{ limit: 10, seconds: 1 }], key: ["ip"] } },
  routes: [
    { name: "old", matches: [{ path: { exact: "/old" } }], redirect: { path: { replaceFullPath: "/new" } } },
    { name: "users", service: "users", rateLimits: ["per-client"] },
  ],
};

/** Every call; `leaseId` is that of the origin `kept` of the service `users`. */
export function adminCalls(leaseId: string): readonly AdminCall[] {
  const call = (name: string, domain: Domain, targets: readonly string[], good: readonly unknown[]): AdminCall => {
    return {
      name,
      domain,
      targets: targets.map((target) => `/_sluice${target}`),
      good,
      method: name.slice(0, name.indexOf(" ")),
    };
  };
  const service = "/v1/services/users";
  const writes = ["/v1/config?dryRun=true", "/v1/config?dryRun=true", "/v1/config"];
  const registrations = [
    { url: "http://192.0.2.7:8080/base" },
    {
      url: "https://a.example.com",
      version: "v1",
      weight: 2.5,
      zone: "eu",
      metadata: { team: "a", "": "" },
      ttlSeconds: 300,
    },
  ];
  return [
    call("PUT /v1/config", "config", writes, [
      standardConfig,
      { ...standardConfig, gateway: { debugHeaders: true } },
      ...smallConfigs,
      wholeConfig,
    ]),
    call("PATCH /v1/config", "config", writes, [
      { gateway: { debugHeaders: true, echoRequestId: null } },
      { services: { extra: {} }, rateLimits: { "per-client": { cost: 2 } } },
      { routes: [{ name: "old", redirect: { statusCode: 308 } }] },
      { services: null, routes: null },
    ]),
    call(
      "POST /v1/config/rollback",
      "config",
      ["/v1/config/rollback"],
      [{ revision: 1, note: "back" }, { revision: 2 }],
    ),
    call(
      "PUT /v1/services/{service}/origins/{origin}",
      "registry",
      [...fuzzedOrigins, "listed"].map((origin) => `${service}/origins/${origin}`),
      registrations,
    ),
    call("POST /v1/services/{service}/origins", "registry", [`${service}/origins`], registrations),
    call(
      "POST /v1/services/{service}/origins/{origin}/heartbeat",
      "nothing",
      [`${service}/origins/kept/heartbeat`, `${service}/origins/fuzz-0/heartbeat`],
      [{ leaseId }],
    ),
    call(
      "POST /v1/heartbeats",
      "nothing",
      ["/v1/heartbeats"],
      [
        { leases: [{ service: "users", origin: "kept", leaseId }] },
        {
          leases: [
            { service: "users", origin: "gone", leaseId: "x" },
            { service: "none", origin: "a", leaseId },
          ],
        },
      ],
    ),
    call(
      "POST /v1/services/{service}/origins/{origin}/drain",
      "registry",
      [...fuzzedOrigins, "none", "listed"].map((origin) => `${service}/origins/${origin}/drain`),
      [{ graceSeconds: 30 }, { graceSeconds: 0 }, {}],
    ),
    call(
      "PUT /v1/breakers/{service}",
      "breakers",
      ["/v1/breakers/users"],
      [
        { state: "forced-open" },
        { state: "auto" },
        { version: "v1", state: "disabled" },
        { version: "", state: "auto" },
      ],
    ),
    call(
      "POST /v1/explain",
      "nothing",
      ["/v1/explain"],
      [
        { url: "http://api.example.com/old?a=1", headers: { "x-a": "b", cookie: "a=1" }, ip: "192.0.2.9" },
        {
          method: "POST",
          url: "https://[::1]:8443/users/%2e%2e/a",
          country: "NO",
          region: "03",
          colo: "OSL",
          continent: "EU",
        },
      ],
    ),
  ];
}

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly requestBody?: unknown }>>>>;
}

/** Calls with a body that the OpenAPI document has and `calls` has not, or the other way round. */
export function unmatchedCalls(openApi: Described, calls: readonly AdminCall[]): string[] {
  const described = Object.entries(openApi.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { requestBody }]) => requestBody !== undefined)
      .map(([method]) => `${method.toUpperCase()} ${path.replace(/^\/_sluice/, "")}`),
  );
  const known = calls.map(({ name }) => name);
  return [...described.filter((name) => !known.includes(name)), ...known.filter((name) => !described.includes(name))];
}
