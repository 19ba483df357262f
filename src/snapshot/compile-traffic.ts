/** Compiles the traffic rules of a route. */
import type { KeySource } from "../core/keys/keys.ts";
import type { Conditions } from "../core/traffic/condition.ts";
import { splitThresholds } from "../core/traffic/split.ts";
import type { TrafficRule, VersionSource } from "../core/traffic/types.ts";
import type { AuthoredTrafficRule } from "../schema/config.ts";
import { compileAddresses, compileCriteria, compileKeySources } from "./compile-values.ts";
import type { DocumentPath, Problems } from "./problems.ts";

type AuthoredWhen = NonNullable<Extract<AuthoredTrafficRule, { version: string }>["when"]>;
type AuthoredVersionFrom = Extract<AuthoredTrafficRule, { versionFrom: unknown }>;
type AuthoredSplit = Extract<AuthoredTrafficRule, { split: unknown }>;

/** What a rule may refer to. `params`: parameters that at least one match of the route has. */
export interface TrafficScope {
  readonly service: string;
  readonly params: ReadonlySet<string>;
}

/** Rules of one route. */
export type CompileTraffic = (
  authored: readonly AuthoredTrafficRule[],
  scope: TrafficScope,
  path: DocumentPath,
) => readonly TrafficRule[];

/** Compiles the rules of many routes; equal ones of which there is nothing to say are compiled once. */
export function trafficCompiler(problems: Problems): CompileTraffic {
  const known = new Map<string, readonly TrafficRule[]>();
  return (authored, scope, path) => {
    // What there is to say of a rule depends on the parameters too.
    const key = scope.params.size === 0 ? JSON.stringify([scope.service, authored]) : null;
    const same = key === null ? undefined : known.get(key);
    if (same) return same;
    const saidBefore = problems.errorsTotal + problems.warnings.length;
    const rules = compileTraffic(authored, scope, path, problems);
    const saidNow = problems.errorsTotal + problems.warnings.length;
    if (key !== null && saidNow === saidBefore) known.set(key, rules);
    return rules;
  };
}

/** The rules in their order. Rules behind one that always applies and never passes on are warned of. */
function compileTraffic(
  authored: readonly AuthoredTrafficRule[],
  scope: TrafficScope,
  path: DocumentPath,
  problems: Problems,
): TrafficRule[] {
  let final: number | null = null;
  return authored.map((rule, index) => {
    const at = [...path, index];
    if (final !== null) problems.warn(at, `can never apply: rule ${final} always does`);
    const compiled = compileRule(rule, scope, at, problems);
    const always = compiled.kind === "version" || compiled.kind === "split";
    if (always && compiled.onEmpty === "error") final ??= index;
    return compiled;
  });
}

function compileRule(
  rule: AuthoredTrafficRule,
  scope: TrafficScope,
  at: DocumentPath,
  problems: Problems,
): TrafficRule {
  if ("versionFrom" in rule) return compileVersionFrom(rule, scope, at, problems);
  if ("split" in rule) return compileSplit(rule, scope, at, problems);
  const { version, when, onEmpty } = rule;
  if (when === undefined) return { kind: "version", version, onEmpty };
  return { kind: "when", conditions: compileWhen(when, [...at, "when"], problems), version, onEmpty };
}

function compileVersionFrom(
  { versionFrom, onUnknown, onEmpty }: AuthoredVersionFrom,
  scope: TrafficScope,
  at: DocumentPath,
  problems: Problems,
): TrafficRule {
  const { header, query, cookie, param } = versionFrom;
  if (param !== undefined) requireParam(param, scope, [...at, "versionFrom", "param"], problems);
  let source: VersionSource = { kind: "accept" };
  if (header !== undefined) source = { kind: "header", name: header.toLowerCase() };
  else if (query !== undefined) source = { kind: "query", name: query };
  else if (cookie !== undefined) source = { kind: "cookie", name: cookie };
  else if (param !== undefined) source = { kind: "param", name: param };
  return { kind: "versionFrom", source, onUnknown, onEmpty };
}

function compileSplit(
  { split, stickyBy, onEmpty }: AuthoredSplit,
  scope: TrafficScope,
  at: DocumentPath,
  problems: Problems,
): TrafficRule {
  const thresholds = splitThresholds(split.map(({ weight }) => weight));
  for (const [index, { weight }] of split.entries()) {
    if (weight > 0 && thresholds[index] === (thresholds[index - 1] ?? 0)) {
      problems.warn(
        [...at, "split", index, "weight"],
        "is less than half of 1/10,000 of the sum, so nobody gets this version",
      );
    }
  }
  const requireKeyParam = (source: KeySource, path: DocumentPath) => {
    if (source.kind === "path-param") requireParam(source.name, scope, path, problems);
  };
  return {
    kind: "split",
    versions: split.map(({ version }) => version),
    thresholds,
    stickyBy: compileKeySources(stickyBy ?? [], [...at, "stickyBy"], problems, requireKeyParam),
    // The service's name: a user is on the same side on every route of a service.
    salt: scope.service,
    onEmpty,
  };
}

function requireParam(name: string, scope: TrafficScope, path: DocumentPath, problems: Problems): void {
  if (!scope.params.has(name)) problems.error(path, "no pattern of this route has a parameter of this name");
}

/** Conditions of a traffic rule or a fault. An object without any is an error: it would be every request. */
export function compileWhen(when: AuthoredWhen, path: DocumentPath, problems: Problems): Conditions {
  if (Object.values(when).every((part) => part === undefined)) {
    problems.error(path, "has no condition; leave `when` out if every request is meant");
  }
  const setOf = (list: readonly string[] | undefined) => (list ? new Set(list) : null);
  return {
    criteria: [
      ...compileCriteria("header", when.headers, [...path, "headers"], problems),
      ...compileCriteria("query", when.query, [...path, "query"], problems),
      ...compileCriteria("cookie", when.cookies, [...path, "cookies"], problems),
    ],
    methods: setOf(when.methods),
    countries: setOf(when.country),
    regions: setOf(when.region),
    colos: setOf(when.colo),
    ipMatches: when.ip ? compileAddresses(when.ip, [...path, "ip"], problems) : null,
  };
}
