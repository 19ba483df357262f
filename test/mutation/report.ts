/** What came of the mutants, in words. */
import type { Result, Status } from "./judge.ts";
import { changeOf, type Justification, sparing } from "./justification.ts";

const columns: readonly Status[] = ["killed", "endless", "survived", "uncovered", "justified"];

/** Share of the mutants that are not justified that the tests noticed, in percent; 100 of none. */
export function scoreOf(results: readonly Result[]): number {
  const count = (...statuses: Status[]) => results.filter(({ status }) => statuses.includes(status)).length;
  const all = results.length - count("justified");
  return all === 0 ? 100 : (100 * count("killed", "endless")) / all;
}

/** A table in Markdown, one line a room and one for all. */
export function tableOf(rooms: ReadonlyMap<string, readonly Result[]>): string {
  const row = (name: string, results: readonly Result[]) => {
    const counts = columns.map((column) => results.filter(({ status }) => status === column).length);
    return `| ${[name, results.length, ...counts, `${scoreOf(results).toFixed(1)} %`].join(" | ")} |`;
  };
  return [
    "| room | mutants | killed | timed out | survived | no coverage | justified | score |",
    "|---|--:|--:|--:|--:|--:|--:|--:|",
    ...[...rooms].map(([room, results]) => row(room, results)),
    row("all", [...rooms.values()].flat()),
  ].join("\n");
}

/** Those that the tests did not notice, one a line. */
export function survivorsOf(results: readonly Result[]): string[] {
  return results
    .filter(({ status }) => status === "survived" || status === "uncovered")
    .map(({ mutant, status }) => {
      return `${mutant.file}:${mutant.line} ${mutant.in}: ${changeOf(mutant)}${status === "uncovered" ? " (no coverage)" : ""}`;
    });
}

/** Justified changes in the files of `results` that none of their survivors needs. */
export function staleOf(results: readonly Result[], justified: readonly Justification[]): Justification[] {
  const files = new Set(results.map(({ mutant }) => mutant.file));
  const { isSpared, left } = sparing(justified.filter(({ file }) => files.has(file)));
  for (const { mutant, status } of results) if (status === "justified") isSpared(mutant);
  return left;
}
