/** How `apply` and `sync` change the configuration in force: read, merge, compare and swap. */
import type { Option } from "commander";
import type { z } from "zod";
import type { JsonChange } from "../src/core/json/diff.ts";
import type * as schema from "../src/schema/api.ts";
import { type Api, Refusal } from "./api.ts";
import { canaryText, readCanary } from "./canary.ts";
import { changesOf, changesText, counted } from "./changes.ts";
import { type Current, type FileOptions, loadFiles, locateRefusal, readCurrent, textOf } from "./documents.ts";
import { Failure } from "./failure.ts";
import { jsonOf, type Part } from "./files/part.ts";
import { problemsOf, problemText, reportOf } from "./files/problems.ts";
import { limits } from "./limits.ts";
import { unnamedIn } from "./merge.ts";
import { withProgress } from "./progress.ts";
import { type Context, options } from "./spec.ts";

export interface WriteOptions extends FileOptions {
  readonly note?: string;
  readonly show?: boolean;
  readonly dryRun?: boolean;
  /** Percent of the clients that it is tried on; left out: it comes into force. */
  readonly canary?: number;
}

/** The options of a command that writes, `own` among them. */
export function writeOptions(...own: readonly Option[]): Option[] {
  return [
    options.file(),
    options.overlay(),
    ...own,
    options.note(),
    options.show(),
    options.canary(),
    options.dryRun(),
    options.url(),
    options.json("{revision, dryRun, changes, warnings}, document with --show, inForce and percent with --canary"),
  ];
}

/** What is to be in force, instead of what is. */
interface Plan {
  readonly current: Current;
  readonly wanted: Part;
  readonly changes: readonly JsonChange[];
}

type Applied = z.output<typeof schema.ApplyAnswer>;

/**
 * Writes what `merge` makes of the document in force and the files. `confirm` is told what the files do not name, before
 * each try, and throws if that may not be. A try that another writer was faster than begins anew.
 */
export async function writeDocument(
  context: Context,
  given: WriteOptions,
  merge: (current: Part, files: Part) => Part,
  confirm: (unnamed: readonly string[]) => Promise<void>,
): Promise<void> {
  const { io, out } = context;
  const files = await loadFiles(io, given);
  const api = context.api();
  for (let tries = 1; ; tries++) {
    const current = await withProgress(io, `Reading ${api.url}`, readCurrent(api));
    const wanted = merge(current.root, files.root);
    const plan = { current, wanted, changes: changesOf(current.root, wanted) };
    if (given.canary !== undefined && current.revision === 0) {
      throw new Failure("there is no configuration yet that the other clients could have: leave --canary out");
    }
    if (given.show) out.text(JSON.stringify(jsonOf(wanted), null, 2));
    await confirm(unnamedIn(current.root, files.root));
    try {
      // The first document is a revision even if it says nothing.
      const isSame = plan.changes.length === 0 && current.revision > 0;
      const applied = isSame ? null : await withProgress(io, `Applying to ${api.url}`, send(api, plan, given));
      report(context, given, plan, applied);
      const canary = isSame ? await readCanary(api) : null;
      if (canary) out.note(`but ${canaryText(canary)}: \`sluice canary abort\` ends that`);
      return;
    } catch (error) {
      const isLost = error instanceof Refusal && error.code === "revision_conflict";
      if (!isLost || tries >= limits.conflictTriesMax) throw advised(locateRefusal(error, wanted));
      out.note("the configuration has changed meanwhile: merging anew");
    }
  }
}

/** The failure, with what can be done if a canary is in the way. */
function advised(error: unknown): unknown {
  if (!(error instanceof Refusal) || error.code !== "canary_running") return error;
  const ways = [
    "`sluice canary` shows what is being tried",
    "`sluice canary promote` puts it in force, `sluice canary abort` ends it; then try again",
    "with --canary, the same files are tried on another share of the clients",
  ];
  return new Failure(error.message, ways, error.report);
}

async function send(api: Api, { current, wanted }: Plan, { note, dryRun, canary }: WriteOptions): Promise<Applied> {
  const { body } = await api.call<Applied>("/v1/config", {
    method: "PUT",
    body: textOf(wanted),
    ifMatch: current.revision,
    query: { note, canary, dryRun: dryRun ? "true" : undefined },
  });
  return body;
}

/** `applied` is null when there was nothing to do. */
function report({ out }: Context, given: WriteOptions, plan: Plan, applied: Applied | null): void {
  const { current, wanted, changes } = plan;
  const { canary, dryRun = false } = given;
  const warnings = problemsOf(applied?.warnings ?? [], wanted);
  const revision = applied?.revision ?? current.revision;
  if (out.isJson) {
    const document = given.show ? { document: jsonOf(wanted) } : {};
    const tried = canary === undefined ? {} : { inForce: current.revision, percent: applied && canary };
    out.json({ revision, dryRun, changes, warnings: warnings.map(reportOf), ...document, ...tried });
    return;
  }
  if (changes.length > 0) out.text(changesText(changes, current.root, wanted, out.paint));
  for (const warning of warnings) out.note(`warning: ${problemText(warning)}`);
  if (applied === null) out.note(`nothing to change: revision ${revision} says the same`);
  else out.note(`${counted(changes.length, "change")}${outcome(given, current.revision, revision)}`);
}

/** What has become of changes to the revision in force, or would. */
function outcome({ canary, dryRun }: WriteOptions, inForce: number, revision: number): string {
  if (canary === undefined)
    return dryRun ? ` would be made to revision ${inForce}` : `: revision ${revision} is in force`;
  if (dryRun) return ` to revision ${inForce} would be tried on ${canary} % of the clients`;
  return `: ${canaryText({ revision, percent: canary })}; revision ${inForce} is in force`;
}
