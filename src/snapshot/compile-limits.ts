/** Compiles `rateLimits`. */
import { parseKeySource } from "../core/keys/keys.ts";
import { type Policy, policyOf } from "../core/limiting/policy.ts";
import type { WindowSpec } from "../core/limiting/types.ts";
import type { Config } from "../schema/config.ts";
import { compileKeySources } from "./compile-values.ts";
import type { DocumentPath, Problems } from "./problems.ts";
import type { CompiledLimit, LimitOverride } from "./types.ts";

type AuthoredLimit = Config["rateLimits"][string];
/** The numbers of a limit, which an override may replace. */
type Numbers = Pick<AuthoredLimit, "windows" | "rate" | "burst">;

/** Every limit by name. `revision`: the configuration's, by which objects know the newest policy. */
export function compileLimits(config: Config, revision: number, problems: Problems): Map<string, CompiledLimit> {
  return new Map(
    Object.entries(config.rateLimits).map(([name, authored]) => [
      name,
      compileLimit(name, authored, revision, ["rateLimits", name], problems),
    ]),
  );
}

function compileLimit(
  name: string,
  authored: AuthoredLimit,
  revision: number,
  path: DocumentPath,
  problems: Problems,
): CompiledLimit {
  const policy = compilePolicy(authored, authored, revision, path, problems);
  const overrides = (authored.overrides ?? []).map((override, index): LimitOverride => {
    const at = [...path, "overrides", index];
    if (override.windows === undefined && override.rate === undefined && override.burst === undefined) {
      problems.error(at, "changes nothing: give windows, rate or burst");
    }
    if (parseKeySource(override.key.split("=")[0] ?? "") === null) {
      problems.error([...at, "key"], "must begin with a key source and '=', as in header:x-client-id=gold-*");
    }
    const { windows = authored.windows, rate = authored.rate, burst = authored.burst } = override;
    const isPrefix = override.key.endsWith("*");
    return {
      key: isPrefix ? override.key.slice(0, -1) : override.key,
      isPrefix,
      policy: compilePolicy({ windows, rate, burst }, authored, revision, at, problems),
    };
  });
  const { cost, onMissingKey, mode, headers } = authored;
  const sources = compileKeySources(authored.key, [...path, "key"], problems);
  const costHeader = typeof cost === "number" ? null : cost.header.toLowerCase();
  return {
    name,
    sources,
    onMissingKey,
    cost: typeof cost === "number" ? cost : 1,
    costHeader,
    policy,
    overrides,
    mode,
    headers,
  };
}

function compilePolicy(
  numbers: Numbers,
  { algorithm, maxDelayMs, consistency, onUnavailable }: AuthoredLimit,
  revision: number,
  path: DocumentPath,
  problems: Problems,
): Policy {
  const isBucket = algorithm === "token-bucket" || algorithm === "leaky-bucket";
  if (isBucket && numbers.rate === undefined) problems.error([...path, "rate"], `missing: ${algorithm} needs a rate`);
  if (isBucket && numbers.windows !== undefined) problems.error([...path, "windows"], `${algorithm} has no windows`);
  if (!isBucket && numbers.windows === undefined)
    problems.error([...path, "windows"], `missing: ${algorithm} needs windows`);
  if (!isBucket && (numbers.rate !== undefined || numbers.burst !== undefined)) {
    problems.error(path, `${algorithm} has neither rate nor burst`);
  }
  if (maxDelayMs > 0 && algorithm !== "leaky-bucket")
    problems.error([...path, "maxDelayMs"], "is for leaky-bucket only");
  const windows = isBucket
    ? [bucketOf(algorithm, numbers, maxDelayMs)]
    : (numbers.windows ?? []).map((window, index) =>
        windowOf(algorithm, window, [...path, "windows", index], problems),
      );
  return policyOf({ windows, consistency, onUnavailable, version: revision });
}

function bucketOf(kind: "token-bucket" | "leaky-bucket", { rate = 1, burst }: Numbers, maxDelayMs: number): WindowSpec {
  const size = burst ?? Math.max(1, Math.ceil(rate));
  return kind === "token-bucket" ? { kind, rate, burst: size } : { kind, rate, burst: size, maxDelayMs };
}

function windowOf(
  kind: "sliding-window" | "fixed-window",
  window: NonNullable<Numbers["windows"]>[number],
  path: DocumentPath,
  problems: Problems,
): WindowSpec {
  const { limit } = window;
  if ("seconds" in window) return { kind, limit, windowMs: window.seconds * 1000 };
  if (kind !== "fixed-window") problems.error([...path, "per"], "a calendar window is for fixed-window only");
  if (!isTimeZone(window.timeZone)) problems.error([...path, "timeZone"], "not a time zone's IANA name");
  return { kind: "calendar-window", limit, unit: window.per, timeZone: window.timeZone };
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
