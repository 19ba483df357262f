/** What the parts found, as tables and lines for a person, and every breach as one line. */
import { table } from "../../bench/table.ts";
import type { Cycle, Share } from "./cycles.ts";
import { limitNames } from "./limits.ts";
import { riseMibMax, type Trend } from "./memory.ts";
import type { Soaked } from "./soak.ts";
import type { Struck } from "./storm.ts";

const rowsOf = 5;
/** Share from which on a limit is called used up: permits that were leased when an isolate died are gone. */
const usedUp = 0.95;

/** One row for some cycles each, and one for all. */
export function cyclesTable(cycles: readonly Cycle[]): string {
  const header = [
    ...["cycles", "answers", "config ack/doubt", "origins ack/doubt", "orders ack/doubt"],
    ...[
      "limits checked, used up",
      "most used",
      "lease served late by ms",
      "lost, exceeded or wrong",
      "restart ms",
      "serves ms",
    ],
  ];
  const rows = Array.from({ length: Math.ceil(cycles.length / rowsOf) }, (_, row) => {
    const first = row * rowsOf;
    const some = cycles.slice(first, first + rowsOf);
    return cells(`${first + 1}-${first + some.length}`, some);
  });
  return table(header, [...rows, cells("all", cycles)]);
}

function cells(name: string, cycles: readonly Cycle[]): string[] {
  const { shares } = cycles.at(-1)!;
  const sum = (of: (cycle: Cycle) => number) => cycles.reduce((total, cycle) => total + of(cycle), 0);
  const most = (of: (cycle: Cycle) => number) => Math.max(...cycles.map(of));
  const both = (kind: keyof Cycle["acknowledged"]) =>
    `${sum(({ acknowledged }) => acknowledged[kind])} / ${sum(({ inDoubt }) => inDoubt[kind])}`;
  const mean = (of: (cycle: Cycle) => number) =>
    `${(sum(of) / cycles.length).toFixed(0)}, at most ${most(of).toFixed(0)}`;
  return [
    name,
    `${sum(({ answers }) => answers)}`,
    ...[both("config"), both("origins"), both("orders")],
    `${shares.length}, ${shares.filter(({ used }) => used >= usedUp).length}`,
    percent(shares),
    most(({ overdueMs }) => overdueMs).toFixed(0),
    `${sum(({ breaches }) => breaches.length)}`,
    mean(({ restartMs }) => restartMs),
    mean(({ servesMs }) => servesMs),
  ];
}

/** One row for each limit, as it was after the last cycle. */
export function limitsTable(cycles: readonly Cycle[]): string {
  const { shares } = cycles.at(-1)!;
  const rows = limitNames.map((limit) => {
    const some = shares.filter(({ name }) => name === limit);
    return [limit, `${some.length}`, `${some.filter(({ used }) => used >= usedUp).length}`, percent(some)];
  });
  return table(["limit", "clients", "used up", "most used"], rows);
}

const percent = (shares: readonly Share[]) => `${(Math.max(0, ...shares.map(({ used }) => used)) * 100).toFixed(1)} %`;

export function stormTable(struck: readonly Struck[]): string {
  const header = [
    "fault",
    "origins",
    "requests",
    "failed without retries",
    "failed with",
    "failed by the machine",
    "recovered after ms",
    "not explained",
  ];
  const rows = struck.map(({ kind, origins, sent, bare, retried, starved, recoveredMs, breaches }) =>
    [kind, origins, sent, bare, retried, starved, recoveredMs.toFixed(0), breaches.length].map(String),
  );
  return table(header, rows);
}

export function soakLines(soaked: Soaked): string {
  const { minutes, sent, heldBack, faults, explained, starved, starvedShare, unexplained, complaints, memory } = soaked;
  return [
    `${minutes.toFixed(1)} min, ${sent} requests (${heldBack} not sent, as too many were under way), ` +
      `${faults} faults: ${explained} failures explained by them, ${starved} by the machine, ${unexplained.length} not`,
    `the machine let a process wait for a processor in ${(starvedShare * 100).toFixed(1)} % of the time`,
    `uncaught exceptions, rejections and refused writes: ${complaints.length}`,
    `kept by JavaScript after the warm-up: ${trendLine(memory.kept)}: ${memory.isFlat ? "flat" : "RISES"} (a rise of ${riseMibMax} MiB is accepted)`,
    `resident memory of workerd after the warm-up: ${trendLine(memory.resident)} (not judged)`,
  ].join("\n");
}

const trendLine = ({ firstMib, lastMib, slopeMibPerMin }: Trend) =>
  `${firstMib.toFixed(1)} -> ${lastMib.toFixed(1)} MiB, ${slopeMibPerMin.toFixed(2)} MiB/min`;

/** What must not be after a soak. */
export function soakBreaches({ unexplained, complaints, memory }: Soaked): string[] {
  return [
    ...unexplained.map((outcome) => `not explained by a fault: ${JSON.stringify(outcome)}`),
    ...complaints,
    ...(memory.isFlat ? [] : [`what JavaScript keeps rises by ${memory.kept.slopeMibPerMin.toFixed(2)} MiB/min`]),
  ];
}
