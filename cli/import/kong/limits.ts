/** `rate-limiting` and `rate-limiting-advanced` as limits of ours. */
import { bounds } from "../../../src/bounds.ts";
import { namedKey } from "../keys.ts";
import type { Part } from "../reader.ts";
import type { RateLimit } from "../types.ts";

type Window = NonNullable<RateLimit["windows"]>[number];

const calendar = ["minute", "hour", "day", "month"] as const;
/** Months and leap days aside, the longest window that may roll. */
const rollingSecondsMax = 31 * 86_400;

/** Counts in windows of the calendar; undefined, with a note, when no window is left. */
export function rateLimiting(config: Part): RateLimit | undefined {
  const windows: Window[] = [];
  const perSecond = limitOf(config.get("second"));
  if (perSecond !== undefined) windows.push({ limit: perSecond, seconds: 1 });
  for (const per of calendar) {
    const limit = limitOf(config.get(per));
    if (limit !== undefined) windows.push({ limit, per });
  }
  if (config.get("year").exists) config.get("year").drop("limit per year", "The longest window is a month.");
  const faultTolerant = config.get("fault_tolerant").flag() ?? true;
  noteRefusal(config);
  return finish(config, "limit_by", "policy", {
    algorithm: "fixed-window",
    windows,
    onUnavailable: faultTolerant ? "allow" : "deny",
  });
}

/** Windows of any length, that roll unless they are said to be fixed. */
export function rateLimitingAdvanced(config: Part): RateLimit | undefined {
  const sizes = config.get("window_size").items();
  const windows = config
    .get("limit")
    .items()
    .flatMap((item, index): Window[] => {
      const [limit, seconds] = [limitOf(item), sizes[index]?.number()];
      if (limit === undefined || seconds === undefined) return [];
      if (Number.isInteger(seconds) && seconds >= 1 && seconds <= rollingSecondsMax) return [{ limit, seconds }];
      item.drop("window of a limit", `Windows have whole seconds, at most ${rollingSecondsMax}.`);
      return [];
    });
  const type = config.get("window_type");
  const kind = type.text() ?? "sliding";
  if (kind !== "sliding" && kind !== "fixed") type.drop(`window_type ${kind}`, "A sliding window is used.");
  return finish(config, "identifier", "strategy", {
    algorithm: kind === "fixed" ? "fixed-window" : "sliding-window",
    windows: windows.slice(0, bounds.rateLimitWindowsMax),
  });
}

function limitOf(part: Part): number | undefined {
  const limit = part.number();
  if (limit === undefined || (Number.isInteger(limit) && limit >= 1 && limit <= bounds.rateLimitMax)) return limit;
  part.drop(`limit ${limit}`, `A limit is a whole number from 1 to ${bounds.rateLimitMax}.`);
  return undefined;
}

function finish(config: Part, keyMember: string, storeMember: string, limit: RateLimit): RateLimit | undefined {
  const key = keyOf(config, config.get(keyMember));
  noteStore(config.get(storeMember));
  const isHidden = config.get("hide_client_headers").flag() ?? false;
  if (limit.windows?.length === 0) {
    config.remark("limit without a window", "It was left out.");
    return undefined;
  }
  return { ...limit, key, headers: isHidden ? "none" : "legacy" };
}

function keyOf(config: Part, part: Part): string[] {
  const by = part.text() ?? "consumer";
  switch (by) {
    case "ip":
      return ["ip"];
    case "header":
      return [namedKey("header", config.get("header_name")) ?? "ip", "ip"];
    case "service":
      part.bend("limit by service", "All requests of the routes that have this limit count together.");
      return ["global"];
    case "path":
      part.bend("limit by path", "Each path counts for itself.");
      return ["path"];
    default: {
      const at = part.exists ? part : config;
      const hint = "There are no consumers: clients are told apart by their address. Another `key` may be better.";
      if (part.exists) at.bend(`limit by ${by}`, hint);
      else at.remark("limit by consumer", hint);
      return ["ip"];
    }
  }
}

function noteStore(part: Part): void {
  const text = part.text();
  if (text === undefined) return;
  part.bend(`counters kept by ${text}`, "One strict count for the whole world, without a store of your own.");
}

function noteRefusal(config: Part): void {
  const code = config.get("error_code");
  if (code.exists) code.drop("error_code of a limit", "The answer is 429.");
  const message = config.get("error_message");
  if (message.exists) message.drop("error_message of a limit", "The answer is a problem document (RFC 9457).");
}
