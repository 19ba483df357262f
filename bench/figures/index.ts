/** Figures that are found beside the cases, and those that follow from them. */
import { type Case, cases as everyCase } from "../cases.ts";
import type { FigureGroup } from "../options.ts";
import { compare, type Measured } from "../rounds.ts";
import { type Bill, billOf, naive } from "./bill.ts";
import { bundleFigures, startupFigures } from "./bundle.ts";
import { coldFigures } from "./cold.ts";
import { compileFigures } from "./compile.ts";
import { type Counted, countCases, countedRate, waitedCalls } from "./counted.ts";
import type { Figure } from "./figure.ts";
import type { Latency } from "./latency.ts";
import { objectFigures } from "./objects.ts";

export interface Found {
  readonly figures: readonly Figure[];
  readonly counted: readonly Counted[];
  readonly bills: readonly Bill[];
}

/** Everything but latency, which needs the processes of the cases. Without `cases` every one is counted. */
export async function findFigures(
  groups: readonly FigureGroup[],
  cases: readonly Case[],
  origin: string,
  seconds: number,
  report: (line: string) => void,
): Promise<Found> {
  const figures: Figure[] = [];
  const finders: Partial<Record<FigureGroup, () => Promise<Figure[]>>> = {
    bundle: bundleFigures,
    startup: startupFigures,
    cold: () => coldFigures(origin),
    compile: compileFigures,
    objects: () => objectFigures(origin, seconds),
  };
  for (const group of groups) {
    const find = finders[group];
    if (find === undefined) continue;
    report(`figures: ${group}`);
    figures.push(...(await find()));
  }
  if (!groups.includes("counted")) return { figures, counted: [], bills: [] };
  report("figures: counted");
  const counted = await countCases(cases.length > 0 ? cases : everyCase, origin, 2 * seconds, report);
  const bills = [...counted.map(billOf), billOf(naive)];
  const waited: Figure = {
    ...{ id: "plain-calls-waited", what: "object calls that a plain request waits for", unit: "" },
    ...{ value: await waitedCalls(origin), note: "`calls` of `sluice-decision`, mean of 1,000" },
  };
  return { figures: [...figures, waited, ...callFigures(counted)], counted, bills };
}

function callFigures(counted: readonly Counted[]): Figure[] {
  return counted
    .filter(({ name }) => name === "thousand" || name === "plain")
    .map(({ name, calls, refused }) => ({
      id: `${name}-calls`,
      what:
        name === "plain" ? "object calls per request, plain" : "object calls per request, limit 1,000/s, one hot key",
      value: calls,
      unit: "",
      note: `waited for or not, at ${countedRate} requests/s${refused > 0 ? `; ${(refused * 100).toFixed(1)} % refused` : ""}`,
    }));
}

export function latencyFigures({ rps, p50Us, p99Us, p99Ratio }: Latency): Figure[] {
  const unit = "ms";
  const note = `at ${rps.toFixed(0)} requests/s`;
  const ms = ({ median }: { readonly median: number }) => median / 1_000;
  return [
    { id: "p99", what: "p99, plain", value: ms(p99Us.gateway), unit, note: `${note}; p50 ${ms(p50Us.gateway)} ms` },
    { id: "p99-bare", what: "p99, BARE", value: ms(p99Us.bare), unit, note: `${note}; p50 ${ms(p50Us.bare)} ms` },
    {
      id: "p99-ratio",
      what: "p99 / p99 of BARE",
      value: p99Ratio.median,
      unit: "",
      note: `${p99Ratio.min.toFixed(2)}..${p99Ratio.max.toFixed(2)}`,
    },
  ];
}

/** Cases whose cost is told as that of others. `above`: what is compared is what they cost more than BARE. */
const comparisons = [
  { id: "match-cost", what: "10,000 routes against 10", many: "routes-10000", few: "routes-10", above: true },
  { id: "origins-cost", what: "1,000 origins against one", many: "origins-1000", few: "origins-1", above: false },
  { id: "keys-cost", what: "10,000 keys against one", many: "keys", few: "key", above: false },
  { id: "proxy-cost", what: "plain against `hono/proxy` alone", many: "plain", few: "hono-proxy", above: false },
] as const;

/** Those of which both cases were measured, and BARE stood still enough between them. */
export function comparedFigures(measured: ReadonlyMap<string, Measured>): Figure[] {
  return comparisons.flatMap<Figure>(({ id, what, many, few, above }) => {
    const [a, b] = [measured.get(many), measured.get(few)];
    const compared = a && b ? compare(a.rounds, b.rounds) : null;
    if (compared === null) return [];
    const { ratio, fewToBare } = compared;
    const told = `${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}`;
    if (!above) return [{ id, what, value: ratio.median, unit: "", note: `CPU of whole requests: ${told}` }];
    const value = (ratio.median * fewToBare - 1) / (fewToBare - 1);
    const note = `CPU beyond that of BARE; whole requests: ${ratio.median.toFixed(2)} (${told})`;
    return [{ id, what, value, unit: "", note }];
  });
}
