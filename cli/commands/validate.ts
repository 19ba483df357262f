/** `sluice validate` */
import { parseEnv } from "node:util";
import { Option } from "commander";
import type { z } from "zod";
import type { Issue } from "../../src/errors.ts";
import type * as schema from "../../src/schema/api.ts";
import { counted } from "../changes.ts";
import { type FileOptions, loadFiles, locateRefusal, wrongFiles } from "../documents.ts";
import { exits, Failure } from "../failure.ts";
import type { Loaded } from "../files/load.ts";
import { type Problem, problemsOf, problemText, reportOf } from "../files/problems.ts";
import { readSource } from "../files/read.ts";
import { withProgress } from "../progress.ts";
import { type Context, options, type ServerOptions, type Spec } from "../spec.ts";

interface Options extends FileOptions, ServerOptions {
  readonly vars?: string;
}

export const validate: Spec<Options> = {
  usage: "validate",
  summary: "say what is wrong with a configuration",
  description: [
    "Reads the files, merges the overlays and compiles the result as the gateway would. Every problem is shown with its file, line and column. Nothing is sent anywhere, and no token is needed.",
    "What a placeholder stands for is known to the gateway only: such values are not checked unless --vars has them.",
    "With --url the gateway is asked too, which knows its variables. It changes nothing. That needs the admin token. SLUICE_URL alone does not ask it.",
  ],
  options: [
    options.file(),
    options.overlay(),
    new Option(
      "--vars <path>",
      "file with lines NAME=value, such as .dev.vars, for placeholders and ALLOW_PRIVATE_ORIGINS",
    ),
    new Option("--url <url>", "base URL of a gateway that is to check it too"),
    options.json("{ok, warnings}"),
  ],
  examples: [
    ["sluice validate -f sluice.yaml", "Check a file:"],
    [
      "sluice validate -f services.yaml -f routes.yaml --overlay production.yaml",
      "Check several that make one configuration:",
    ],
  ],
  run: async (context, given) => {
    const loaded = await loadFiles(context.io, given);
    const variables = await readVariables(context, given.vars);
    const offline = await compileOffline(loaded, variables);
    if (offline.errors.length > 0) throw wrongFiles(offline.errors, offline.total);
    const warnings = given.url === undefined ? offline.warnings : await askGateway(context, loaded);
    report(context, warnings);
    return exits.ok;
  },
};

async function readVariables({ io }: Context, path: string | undefined): Promise<Record<string, string | undefined>> {
  if (path === undefined) return {};
  const source = await readSource(path, io.stdin);
  if (typeof source === "string") throw new Failure(`${path}: ${source}`);
  return parseEnv(source.text);
}

interface Checked {
  readonly errors: readonly Problem[];
  readonly total: number;
  readonly warnings: readonly Problem[];
}

/** What the compiler says of a placeholder whose variable it does not have, which here is no error. */
const unknownVariable = / is not a variable or secret of this Worker$/;

/** Compiles the document with the variables that are known here. */
export async function compileOffline(
  { text, root }: Loaded,
  variables: Record<string, string | undefined>,
): Promise<Checked> {
  // It takes longer to load than all that other commands need.
  const { compileDocument } = await import("../../src/snapshot/compile.ts");
  const result = compileDocument(text, variables);
  if (result.ok) return { errors: [], total: 0, warnings: problemsOf(result.warnings, root) };
  const isUnknown = ({ detail }: Issue) => unknownVariable.test(detail);
  const errors = result.issues.filter((issue) => !isUnknown(issue));
  const unknown = result.issues
    .filter(isUnknown)
    .map((issue) => ({ ...issue, detail: "known to the gateway only: not checked" }));
  const total = result.total - unknown.length;
  if (errors.length === 0 && total > 0) {
    throw new Failure(`more than ${unknown.length} placeholders are not known here; --vars gives them values`);
  }
  return { errors: problemsOf(errors, root), total, warnings: problemsOf(unknown, root) };
}

async function askGateway({ io, api }: Context, { text, root }: Loaded): Promise<Problem[]> {
  const gateway = api();
  const call = gateway.call<z.output<typeof schema.ApplyAnswer>>("/v1/config", {
    method: "PUT",
    body: text,
    query: { dryRun: "true" },
  });
  const { body } = await withProgress(io, `Asking ${gateway.url}`, call).catch((error: unknown) => {
    throw locateRefusal(error, root);
  });
  return problemsOf(body.warnings, root);
}

function report({ out }: Context, warnings: readonly Problem[]): void {
  if (out.isJson) out.json({ ok: true, warnings: warnings.map(reportOf) });
  for (const warning of warnings) out.note(`warning: ${problemText(warning)}`);
  out.text(`The configuration is right${warnings.length > 0 ? `, with ${counted(warnings.length, "warning")}` : ""}.`);
}
