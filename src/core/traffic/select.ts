/** Traffic rules -> version: the first rule that applies decides. */
import { bounds } from "../../bounds.ts";
import { readValue } from "../facts.ts";
import { keyOf, paramOf } from "../keys/keys.ts";
import { acceptVersion } from "./accept.ts";
import { holds } from "./condition.ts";
import { bucketOf } from "./hash.ts";
import { entryOf } from "./split.ts";
import type {
  RuleContext,
  Selection,
  SelectionContext,
  SplitRule,
  TrafficRule,
  VersionFromRule,
  VersionSource,
} from "./types.ts";

const none: Selection = { kind: "none" };

/** Chooses the version of a request. Pure but for what the context answers. */
export function selectVersion(rules: readonly TrafficRule[], context: SelectionContext): Selection {
  for (let index = 0; index < rules.length; index++) {
    const rule = rules[index]!;
    const selection = applyRule(rule, index, context);
    if (selection.kind === "rejected") return selection;
    if (selection.kind === "version" && (rule.onEmpty === "error" || context.hasOrigin(selection.version)))
      return selection;
  }
  return none;
}

/** What one rule says. `onEmpty` is not its matter. */
export function applyRule(rule: TrafficRule, index: number, context: RuleContext): Selection {
  switch (rule.kind) {
    case "versionFrom":
      return applyVersionFrom(rule, index, context);
    case "when":
      return holds(rule.conditions, context.facts)
        ? { kind: "version", version: rule.version, reason: "when", rule: index }
        : none;
    case "version":
      return { kind: "version", version: rule.version, reason: "version", rule: index };
    case "split":
      return applySplit(rule, index, context);
  }
}

function applyVersionFrom(rule: VersionFromRule, index: number, context: RuleContext): Selection {
  const version = requestedVersion(rule.source, context);
  if (version === null || version === "") return none;
  if (context.versionExists(version)) return { kind: "version", version, reason: rule.source.kind, rule: index };
  return rule.onUnknown === "next" ? none : { kind: "rejected", version, rule: index };
}

/** The version that a request asks for; null or "" when it does not. */
export function requestedVersion(source: VersionSource, { facts, params }: RuleContext): string | null {
  switch (source.kind) {
    case "accept":
      return acceptVersion(facts.header("accept") ?? "");
    case "param":
      return paramOf(params, source.name);
    default:
      return readValue(facts, source.kind, source.name);
  }
}

function applySplit(rule: SplitRule, index: number, context: RuleContext): Selection {
  const key = keyOf(rule.stickyBy, context.facts, context);
  const bucket = key === null ? Math.floor(context.random() * bounds.splitBuckets) : bucketOf(rule.salt, key);
  const entry = entryOf(rule.thresholds, bucket);
  const reason = key === null ? "split" : "sticky";
  return { kind: "version", version: rule.versions[entry]!, reason, rule: index, bucket, entry };
}
