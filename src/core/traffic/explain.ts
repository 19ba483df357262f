/** Why a request gets its version: the rules that passed it on, and the one that decided. */
import { bounds } from "../../bounds.ts";
import { meets, type RequestFacts } from "../facts.ts";
import { sourceText } from "../keys/key-text.ts";
import { firstKey, type KeySource } from "../keys/keys.ts";
import { quoted, type Show, unmetCriterion } from "../unmet.ts";
import type { Conditions } from "./condition.ts";
import { applyRule, requestedVersion } from "./select.ts";
import type {
  RuleContext,
  Selection,
  SelectionContext,
  SplitRule,
  TrafficRule,
  VersionFromRule,
  WhenRule,
} from "./types.ts";

/** Buckets of one entry of a split: from `from` to before `to`. Equal: nobody. */
export interface SplitRange {
  readonly version: string;
  readonly from: number;
  readonly to: number;
}

/** The split that decided. */
export interface ExplainedSplit {
  /** The sticky key, as in the document (`header:x-user-id`) with its value; null: every request draws. */
  readonly key: { readonly source: string; readonly value: string } | null;
  /** Bucket of the key; null: drawn. */
  readonly bucket: number | null;
  readonly ranges: readonly SplitRange[];
}

export interface ExplainedSelection {
  /** What `selectVersion` decides. For a draw: what it does when it hits the most likely entry. */
  readonly selection: Selection;
  /** Rules before it, by index, and why they did not decide. */
  readonly passed: readonly { readonly rule: number; readonly why: string }[];
  /** null: no split decided. */
  readonly split: ExplainedSplit | null;
}

type Context = Omit<SelectionContext, "random">;

/** Explains `selectVersion`. */
export function explainSelection(rules: readonly TrafficRule[], given: Context, show: Show): ExplainedSelection {
  const passed: { readonly rule: number; readonly why: string }[] = [];
  for (const [index, rule] of rules.entries()) {
    const draw = rule.kind === "split" ? likeliestDraw(rule) : 0;
    const context: RuleContext = {
      facts: given.facts,
      params: given.params,
      route: given.route,
      random: () => draw,
      versionExists: (version) => given.versionExists(version),
    };
    const selection = applyRule(rule, index, context);
    const isFinal =
      selection.kind === "rejected" ||
      (selection.kind === "version" && (rule.onEmpty === "error" || given.hasOrigin(selection.version)));
    if (isFinal)
      return { selection, passed, split: rule.kind === "split" ? explainSplit(rule, selection, given, show) : null };
    const why =
      selection.kind === "version" ? `no origin of ${show(selection.version)} is usable` : whyNot(rule, context, show);
    passed.push({ rule: index, why });
  }
  return { selection: { kind: "none" }, passed, split: null };
}

/** A draw in the middle of the widest interval of a split. */
function likeliestDraw(rule: SplitRule): number {
  const [widest] = rangesOf(rule).sort((a, b) => b.to - b.from - (a.to - a.from));
  return (widest!.from + widest!.to) / 2 / bounds.splitBuckets;
}

function rangesOf({ versions, thresholds }: SplitRule): SplitRange[] {
  return versions.map((version, index) => ({ version, from: thresholds[index - 1] ?? 0, to: thresholds[index]! }));
}

function explainSplit(rule: SplitRule, selection: Selection, context: Context, show: Show): ExplainedSplit {
  const key = firstKey(rule.stickyBy, context.facts, context);
  const bucket = key !== null && "bucket" in selection ? selection.bucket : null;
  return { key: key && { source: shownSource(key.source, show), value: key.value }, bucket, ranges: rangesOf(rule) };
}

function shownSource(source: KeySource, show: Show): string {
  return "name" in source ? `${source.kind}:${show(source.name)}` : sourceText(source);
}

/** Why a rule does not apply. */
function whyNot(rule: TrafficRule, context: RuleContext, show: Show): string {
  if (rule.kind === "versionFrom") return unknownText(rule, requestedVersion(rule.source, context));
  // Splits and plain versions always apply.
  return unmetText((rule as WhenRule).conditions, context.facts, show)!;
}

function unknownText({ source }: VersionFromRule, version: string | null): string {
  const where = source.kind === "accept" ? "the version parameter of Accept" : `${source.kind} ${source.name}`;
  if (version === null || version === "") return `${where} is ${version === null ? "absent" : "empty"}`;
  return `${where} is ${quoted(version)}, which no origin has and the document does not name`;
}

/** The first condition of `holds` that does not hold; null: all do. */
export function unmetText(conditions: Conditions, facts: RequestFacts, show: Show): string | null {
  const { methods, countries, regions, colos, ipMatches, criteria } = conditions;
  const sets = [
    ["method", facts.method, methods],
    ["country", facts.country, countries],
    ["region", facts.region, regions],
    ["colo", facts.colo, colos],
  ] as const;
  for (const [name, value, set] of sets) {
    if (set === null || (value !== null && set.has(value))) continue;
    return `${name} is ${value ?? "unknown"}, want ${[...set].map(show).join(" or ")}`;
  }
  if (ipMatches !== null && !(facts.clientIp !== null && ipMatches(facts.clientIp))) {
    return `ip is ${facts.clientIp ?? "unknown"}, in none of the ranges`;
  }
  const unmet = criteria.find((criterion) => !meets(criterion, facts));
  return unmet ? unmetCriterion(unmet, facts, show) : null;
}
