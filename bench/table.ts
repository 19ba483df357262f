/** Results as tables of Markdown. */
import type { Spread } from "./measure/stats.ts";
import type { Results } from "./results.ts";
import { caseGoals, figureGoals, type Goal, verdict } from "./targets.ts";

/** All tables of a run, each with what it needs to be read. */
export function tablesOf(results: Results): string {
  const { machine, at, rounds, seconds } = results;
  const tools = `Node ${machine.node}, workerd ${machine.workerd}, wrangler ${machine.wrangler}, nginx ${machine.nginx}`;
  return [
    `${at.slice(0, 10)}, commit ${machine.commit}, ${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}; ${tools}; ` +
      `${rounds} rounds of ${seconds} s.`,
    ...(results.cases.length > 0 ? [casesTable(results)] : []),
    ...(results.figures.length > 0 ? [figuresTable(results)] : []),
    ...(results.bills.length > 0 ? [billTable(results)] : []),
  ].join("\n\n");
}

function casesTable({ cases }: Results): string {
  const header = ["case", "CPU us/request", "CPU/BARE", "rps", "rps/BARE", "spread", "must", "after", "verdict"];
  const rows = cases.map(({ name, what, cpuUs, rps, cpuRatio, rpsRatio, kept, rounds, failed }) => {
    const goal = caseGoals[name];
    const notes = [verdict(cpuRatio?.median ?? null, goal), ...(failed > 0 ? [`${failed} FAILED`] : [])];
    return [
      `${name}: ${what}`,
      cpuUs.median.toFixed(1),
      cpuRatio?.median.toFixed(2) ?? "BARE moved",
      rps.median.toFixed(0),
      rpsRatio?.median.toFixed(2) ?? "BARE moved",
      (cpuRatio ? rangeOf(cpuRatio) : "") + (kept < rounds.length ? ` (${kept} of ${rounds.length} rounds)` : ""),
      ...boundsOf(goal),
      notes.filter((note) => note !== "").join(", "),
    ];
  });
  return table(header, rows);
}

function figuresTable({ figures }: Results): string {
  const rows = figures.map(({ id, what, value, unit, note }) => {
    const goal = figureGoals[id];
    return [what, `${numberOf(value)} ${unit}`.trim(), ...boundsOf(goal), verdict(value, goal), note];
  });
  return table(["figure", "value", "must", "after", "verdict", "how"], rows);
}

function billTable({ bills, counted }: Results): string {
  const rows = bills.map(({ name, requests, objects, rows, duration, total }) => {
    const { callsByObject = {} } = counted.find((each) => each.name === name) ?? {};
    const calls = Object.entries(callsByObject).filter(([, count]) => count > 0);
    return [
      name,
      ...[requests, objects, rows, duration, total].map((dollars) => `$${dollars.toFixed(3)}`),
      calls.map(([object, count]) => `${object} ${count.toFixed(4)}`).join(", "),
    ];
  });
  return table(
    ["per million requests", "requests", "objects", "rows", "duration", "total", "object calls per request"],
    rows,
  );
}

const boundsOf = (goal: Goal | undefined) =>
  [goal?.must, goal?.after].map((bound) => bound?.toLocaleString("en") ?? "");
const rangeOf = ({ min, max }: Spread) => `${min.toFixed(2)}..${max.toFixed(2)}`;

/** Three digits, or all of a larger number. */
function numberOf(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : `${Number(value.toPrecision(3))}`;
}

/** A table of Markdown. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
