/** Compiled traffic rules, and what selecting a version needs and answers. */
import type { RequestFacts, ValueSource } from "../facts.ts";
import type { KeyExtras, KeySource } from "../keys/keys.ts";
import type { Conditions } from "./condition.ts";

/** Where a request names the version it wants. Header names are in lower case. */
export type VersionSource =
  | { readonly kind: ValueSource | "param"; readonly name: string }
  | { readonly kind: "accept" };

/** `next`: when no origin of the chosen version is usable, the following rules decide. `error`: the version stays. */
export type OnEmpty = "error" | "next";

/** The request names its version. Applies when the value is there and not empty. */
export interface VersionFromRule {
  readonly kind: "versionFrom";
  readonly source: VersionSource;
  /** When the version does not exist: `reject` the request, or let the `next` rules decide. */
  readonly onUnknown: "reject" | "next";
  readonly onEmpty: OnEmpty;
}

/** A version for the requests that fulfil the conditions. */
export interface WhenRule {
  readonly kind: "when";
  readonly conditions: Conditions;
  readonly version: string;
  readonly onEmpty: OnEmpty;
}

/** A version for every request that comes as far as this rule. */
export interface VersionRule {
  readonly kind: "version";
  readonly version: string;
  readonly onEmpty: OnEmpty;
}

/** Versions by weight. Always applies. */
export interface SplitRule {
  readonly kind: "split";
  /** Versions of the entries in document order; the same version may appear twice (with another rewrite). */
  readonly versions: readonly string[];
  /** `splitThresholds` of the entries' weights. */
  readonly thresholds: readonly number[];
  /** Sources of the sticky key. Empty, or none present: each request draws anew. */
  readonly stickyBy: readonly KeySource[];
  /** Keeps splits apart. It must survive a change of the weights, else everybody is dealt out again. */
  readonly salt: string;
  readonly onEmpty: OnEmpty;
}

export type TrafficRule = VersionFromRule | WhenRule | VersionRule | SplitRule;

/** What one rule may know beside the request's facts. */
export interface RuleContext extends KeyExtras {
  readonly facts: RequestFacts;
  /** Is the version in the document or held by a registered origin? */
  versionExists(version: string): boolean;
  /** Uniform in [0, 1). Asked when a split draws. */
  random(): number;
}

export interface SelectionContext extends RuleContext {
  /** Has the version an origin that may be used now? Asked for rules with `onEmpty: "next"` only. */
  hasOrigin(version: string): boolean;
}

/**
 * Why a version was chosen; promised in `sluice-decision`. A `versionFrom` gives its source (`header`, `query`, `cookie`,
 * `param`, `accept`), `when` and `version` their own names, a split `sticky` (by the hash of the key) or `split` (drawn).
 */
export type SelectionReason = VersionSource["kind"] | "when" | "version" | "sticky" | "split";

/** A chosen version. `rule` is the index of the rule. */
export type ChosenVersion =
  | {
      readonly kind: "version";
      readonly version: string;
      readonly reason: Exclude<SelectionReason, "sticky" | "split">;
      readonly rule: number;
    }
  | {
      readonly kind: "version";
      readonly version: string;
      readonly reason: "sticky" | "split";
      readonly rule: number;
      /** Bucket of the key or of the draw, in [0, bounds.splitBuckets). */
      readonly bucket: number;
      /** Index of the split's entry. */
      readonly entry: number;
    };

/**
 * What the rules decided. `none`: no rule applied; the service's `defaultVersion` counts, else all its origins (the reason
 * is then `default`). `rejected`: the request asked for a version that does not exist (`version_unknown`).
 */
export type Selection =
  | ChosenVersion
  | { readonly kind: "none" }
  | { readonly kind: "rejected"; readonly version: string; readonly rule: number };
