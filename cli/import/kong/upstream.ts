/** An upstream of Kong: its targets, balancing and active checks. */
import { bounds } from "../../../src/bounds.ts";
import { namedKey } from "../keys.ts";
import { newNames } from "../names.ts";
import { originUrl } from "../origins.ts";
import type { Part } from "../reader.ts";
import type { Service } from "../types.ts";

type Origins = NonNullable<Service["origins"]>;

/** The service that has the upstream's targets as its origins. */
export function upstreamService(upstream: Part, scheme: string): Service {
  return { origins: targetsOf(upstream, scheme), ...balancingOf(upstream), ...checkOf(upstream) };
}

function targetsOf(upstream: Part, scheme: string): Origins {
  const names = newNames("target");
  return upstream
    .get("targets")
    .items()
    .flatMap((item) => {
      const target = item.get("target").text() ?? "";
      const hasPort = /:\d+$/.test(target);
      const url = originUrl(`${scheme}://${target}${hasPort ? "" : ":8000"}`, item.get("target"));
      return url === undefined ? [] : [{ id: names(target), url, weight: item.get("weight").number() ?? 100 }];
    });
}

function balancingOf(upstream: Part): Pick<Service, "loadBalancing"> {
  const part = upstream.get("algorithm");
  const algorithm = part.text() ?? "round-robin";
  if (upstream.get("hash_on").value === "none") upstream.get("hash_on").use();
  if (upstream.get("hash_fallback").value === "none") upstream.get("hash_fallback").use();
  switch (algorithm) {
    case "round-robin":
      return { loadBalancing: { policy: "round-robin" } };
    case "least-connections":
      return { loadBalancing: { policy: "least-request" } };
    case "latency":
      return { loadBalancing: { policy: "ewma" } };
    case "consistent-hashing": {
      const hashOn = [keyOf(upstream, "hash_on"), keyOf(upstream, "hash_fallback")].flatMap((key) => key ?? []);
      return { loadBalancing: { policy: "consistent-hash", ...(hashOn.length > 0 && { hashOn }) } };
    }
    default:
      part.drop(`algorithm ${algorithm}`, "The default, least-request, is used.");
      return {};
  }
}

function keyOf(upstream: Part, member: "hash_on" | "hash_fallback"): string | undefined {
  const part = upstream.get(member);
  const source = part.text() ?? "none";
  switch (source) {
    case "ip":
    case "path":
      return source;
    case "header":
      return namedKey("header", upstream.get(`${member}_header`));
    case "query_arg":
      return namedKey("query", upstream.get(`${member}_query_arg`));
    case "cookie":
      return namedKey("cookie", upstream.get("hash_on_cookie"));
    case "none":
      return undefined;
    default:
      part.drop(`hash on ${source}`, "Requests are told apart by their address unless there is another key.");
      return undefined;
  }
}

function checkOf(upstream: Part): Pick<Service, "healthCheck"> {
  const active = upstream.get("healthchecks").get("active");
  const [healthy, unhealthy] = [active.get("healthy"), active.get("unhealthy")];
  const intervals = [healthy.get("interval"), unhealthy.get("interval")];
  const lengths = intervals.map((part) => part.number() ?? 0).filter((seconds) => seconds > 0);
  const intervalSeconds = Math.ceil(Math.min(...lengths));
  if (!Number.isFinite(intervalSeconds)) {
    if (active.exists) active.drop("active health checks that are off", "Without an interval there were no checks.");
    return {};
  }
  for (const part of intervals) {
    if (part.value !== intervalSeconds && part.exists)
      part.bend("interval of checks", `It is ${intervalSeconds} s for all.`);
  }
  const statuses = healthy
    .get("http_statuses")
    .items()
    .flatMap((item) => item.number() ?? []);
  const [path, timeout] = [active.get("http_path").text(), active.get("timeout").number()];
  return {
    healthCheck: {
      path: path ?? "/",
      intervalSeconds,
      timeoutMs: Math.min((timeout ?? 1) * 1_000, bounds.checkTimeoutMsMax),
      statuses: statuses.length > 0 ? statuses.slice(0, bounds.checkStatusesMax) : [200, 302],
      healthyAfter: Math.max(1, healthy.get("successes").number() ?? 1),
      unhealthyAfter: Math.max(1, unhealthy.get("http_failures").number() ?? 1),
    },
  };
}
