/** Part of `explain.ts`: which version, and by which rule. */
import type { RequestFacts } from "../core/facts.ts";
import { type ExplainedSplit, explainSelection } from "../core/traffic/explain.ts";
import type { Show } from "../core/unmet.ts";
import { GatewayError } from "../errors.ts";
import type { Route, ServiceView } from "../snapshot/types.ts";
import { contextOf, type Selected, selectedBy } from "./select.ts";

/** The service of a route, and what decides. */
export interface Selecting {
  readonly route: Route;
  readonly service: ServiceView;
  readonly facts: RequestFacts;
  readonly params: Readonly<Record<string, string>>;
}

/** The choice of the version. */
export interface ExplainedVersion {
  readonly service: string;
  /** null: every origin of the service. When the request draws: the likeliest. */
  readonly version: string | null;
  /** As in `sluice-decision`; null: the request is refused. */
  readonly reason: string | null;
  /** Index of the rule that decided; null: none did. */
  readonly rule: number | null;
  readonly passed: { readonly rule: number; readonly why: string }[];
  readonly split:
    | (Omit<ExplainedSplit, "ranges"> & { readonly ranges: { version: string; from: number; to: number }[] })
    | null;
}

/** Explains `select`, and does what it does. */
export function explainVersion(
  { route, service, facts, params }: Selecting,
  show: Show,
): { readonly version: ExplainedVersion; readonly selected: Selected | GatewayError } {
  const explained = explainSelection(route.traffic, contextOf(route, service, facts, params), show);
  const { selection, passed, split } = explained;
  const selected = selectedBy(selection, route, service);
  const isRefused = selected instanceof GatewayError;
  const version = isRefused ? null : selected.version;
  return {
    version: {
      service: service.config.name,
      version: version && show(version),
      reason: isRefused ? null : selected.reason,
      rule: "rule" in selection ? selection.rule : null,
      passed: [...passed],
      split: split && { ...split, ranges: split.ranges.map((range) => ({ ...range, version: show(range.version) })) },
    },
    selected,
  };
}
