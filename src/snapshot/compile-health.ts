/** Compiles what a service is watched and protected by. What is not written is off: null, or 0. */
import type { BreakerSettings, HealthSettings, OutlierSettings, ThrottleSettings } from "../core/breaking/types.ts";
import type { CheckSettings } from "../core/checking/types.ts";
import type { AuthoredService } from "../schema/config.ts";
import type { DocumentPath, Problems } from "./problems.ts";

type Authored<K extends keyof AuthoredService> = NonNullable<AuthoredService[K]>;

/** Breaker, ejection and the limit of concurrency. `revision`: the configuration's, by which objects know the newest. */
export function compileHealth(authored: AuthoredService, revision: number): HealthSettings {
  const { circuitBreaker, outlierDetection, maxConcurrentRequests } = authored;
  return {
    revision,
    breaker: circuitBreaker ? breakerOf(circuitBreaker) : null,
    outlier: outlierDetection ? outlierOf(outlierDetection) : null,
    maxConcurrent: maxConcurrentRequests,
  };
}

function breakerOf(authored: Authored<"circuitBreaker">): BreakerSettings {
  const { windowSeconds, openSeconds, maxOpenSeconds, recoverySeconds, ...same } = authored;
  return {
    ...same,
    windowMs: windowSeconds * 1_000,
    openMs: openSeconds * 1_000,
    maxOpenMs: maxOpenSeconds * 1_000,
    recoveryMs: recoverySeconds * 1_000,
  };
}

function outlierOf({ baseEjectionSeconds, ...same }: Authored<"outlierDetection">): OutlierSettings {
  return { ...same, baseEjectionMs: baseEjectionSeconds * 1_000 };
}

/** Active checks. `path` is the place of `healthCheck`. */
export function compileCheck(authored: Authored<"healthCheck">, path: DocumentPath, problems: Problems): CheckSettings {
  const { intervalSeconds, statuses, ...same } = authored;
  const ranges = statuses.map((range, index): readonly [number, number] => {
    const [first = 0, last = first] = String(range).split("-").map(Number);
    if (first > last) problems.error([...path, "statuses", index], "ends before it begins");
    return [first, last];
  });
  return { ...same, intervalMs: intervalSeconds * 1_000, statuses: ranges };
}

/** Client-side throttling. */
export function throttleOf({ windowSeconds, ratio }: Authored<"clientThrottling">): ThrottleSettings {
  return { windowMs: windowSeconds * 1_000, ratio };
}
