/**
 * Parts of the document whose shape is promised and checked, but which this version does not carry out. They are refused:
 * a limit or a breaker that is silently ignored is worse than none.
 */
import type { AuthoredRoute, AuthoredService, Config } from "../schema/config.ts";
import type { DocumentPath, Problems } from "./problems.ts";

type Check<T> = readonly [path: readonly string[], used: (value: T) => boolean];

const ofService: readonly Check<AuthoredService>[] = [
  [["healthCheck"], (service) => service.healthCheck !== undefined],
  [["outlierDetection"], (service) => service.outlierDetection !== undefined],
  [["circuitBreaker"], (service) => service.circuitBreaker !== undefined],
  [["maxConcurrentRequests"], (service) => service.maxConcurrentRequests > 0],
  [["loadBalancing", "policy"], ({ loadBalancing: { policy } }) => policy === "ewma" || policy === "consistent-hash"],
  [["loadBalancing", "hashOn"], (service) => service.loadBalancing.hashOn !== undefined],
];

const ofRoute: readonly Check<AuthoredRoute>[] = [
  [["timeouts", "attemptMs"], (route) => route.timeouts.attemptMs > 0],
  [["timeouts", "idleMs"], (route) => route.timeouts.idleMs > 0],
  [["retries"], (route) => route.retries !== undefined],
  [["mirror"], (route) => (route.mirror?.length ?? 0) > 0],
  [["fallback"], (route) => route.fallback !== undefined],
];

/** Adds an error for every part in use that is not yet available. */
export function refuseUnavailable(config: Config, problems: Problems): void {
  const run = <T>(checks: readonly Check<T>[], value: T, at: DocumentPath) => {
    for (const [path, used] of checks) if (used(value)) problems.error([...at, ...path], "not yet available");
  };
  for (const [name, service] of Object.entries(config.services)) run(ofService, service, ["services", name]);
  for (const [index, route] of config.routes.entries()) run(ofRoute, route, ["routes", index]);
}
