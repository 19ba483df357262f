/** What the parts found, as tables and lines for a person, and every breach as one line. */
import type { Cycle } from "./cycles.ts";
import { riseMibMax, type Trend } from "./memory.ts";
import type { Soaked } from "./soak.ts";
import type { Struck } from "./storm.ts";

const rowsOf = 5;

/** One row for some cycles each, and one for all. */
export function cyclesTable(cycles: readonly Cycle[]): string {
  const header = [
    ...["cycles", "answers", "config ack/doubt", "origins ack/doubt", "orders ack/doubt"],
    ...["limits checked", "most used", "lost, exceeded or wrong", "restart ms", "serves ms"],
  ];
  const rows = Array.from({ length: Math.ceil(cycles.length / rowsOf) }, (_, row) => {
    const first = row * rowsOf;
    const some = cycles.slice(first, first + rowsOf);
    return cells(`${first + 1}-${first + some.length}`, some);
  });
  return table(header, [...rows, cells("all", cycles)]);
}

function cells(name: string, cycles: readonly Cycle[]): string[] {
  const sum = (of: (cycle: Cycle) => number) => cycles.reduce((total, cycle) => total + of(cycle), 0);
  const most = (of: (cycle: Cycle) => number) => Math.max(...cycles.map(of));
  const both = (kind: keyof Cycle["acknowledged"]) =>
    `${sum(({ acknowledged }) => acknowledged[kind])} / ${sum(({ inDoubt }) => inDoubt[kind])}`;
  const mean = (of: (cycle: Cycle) => number) =>
    `${(sum(of) / cycles.length).toFixed(0)}, at most ${most(of).toFixed(0)}`;
  return [
    name,
    `${sum(({ statuses }) => [...statuses.values()].reduce((total, count) => total + count, 0))}`,
    ...[both("config"), both("origins"), both("orders")],
    `${most(({ limitsChecked }) => limitsChecked)}`,
    `${(most(({ used }) => used) * 100).toFixed(1)} %`,
    `${sum(({ breaches }) => breaches.length)}`,
    mean(({ restartMs }) => restartMs),
    mean(({ servesMs }) => servesMs),
  ];
}

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

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
