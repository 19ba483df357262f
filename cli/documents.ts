/** The documents that commands work on: that of the files, that in force, and what is wrong with one. */
import { type Answer, type Api, Refusal } from "./api.ts";
import { Failure } from "./failure.ts";
import { type Loaded, load } from "./files/load.ts";
import { parse } from "./files/parse.ts";
import { jsonOf, type Part } from "./files/part.ts";
import { type Problem, problemsOf, problemText, reportOf } from "./files/problems.ts";
import { readSource } from "./files/read.ts";
import type { Io } from "./io.ts";

export interface FileOptions {
  readonly file?: readonly string[];
  readonly overlay?: readonly string[];
}

/** Reads the files. Throws `Failure` with every problem in its place. */
export async function loadFiles({ stdin }: Io, { file = [], overlay = [] }: FileOptions): Promise<Loaded> {
  if (file.length === 0) throw new Failure("no file is given: -f PATH, or -f - for standard input");
  const result = await load({ files: file, overlays: overlay }, (path) => readSource(path, stdin));
  if (!result.ok) throw wrongFiles(result.problems, result.total);
  return result;
}

/** A failure that shows problems where they stand. */
export function wrongFiles(problems: readonly Problem[], total = problems.length): Failure {
  const what = `${total} ${total === 1 ? "problem" : "problems"}`;
  const more = total > problems.length ? [`and ${total - problems.length} more`] : [];
  const message = `${what} in the configuration`;
  return new Failure(message, [...problems.map(problemText), ...more], { total, problems: problems.map(reportOf) });
}

/** A document of the gateway. Revision 0: there is none yet, and `{}` stands for it. */
export interface Current {
  readonly revision: number;
  readonly text: string;
  readonly root: Part;
}

/** The document in force. */
export async function readCurrent(api: Api): Promise<Current> {
  const { text, revision } = await api.call("/v1/config").catch((error): Pick<Answer<unknown>, "text" | "revision"> => {
    if (error instanceof Refusal && error.code === "gateway_unconfigured") return { text: "{}", revision: 0 };
    throw error;
  });
  const [root] = parse({ name: `revision ${revision}`, text }).documents;
  if (root === undefined || revision === null) throw new Failure(`${api.url} answered with no configuration`);
  return { revision, text, root };
}

/** The document of a revision that is kept. */
export async function readRevision(api: Api, revision: number): Promise<Part> {
  const { body } = await api.call<{ document: unknown }>(`/v1/config/revisions/${revision}`);
  const [root] = parse({ name: `revision ${revision}`, text: JSON.stringify(body.document) }).documents;
  if (root === undefined) throw new Failure(`${api.url} answered with no document of revision ${revision}`);
  return root;
}

/** JSON text of a document, with its members in their order. */
export function textOf(root: Part): string {
  return JSON.stringify(jsonOf(root));
}

/** The failure to show for the gateway's refusal of a document: with the places of what is wrong with it. */
export function locateRefusal(error: unknown, root: Part): unknown {
  if (!(error instanceof Refusal) || error.code !== "invalid_config") return error;
  const { message, errors } = error;
  const problems = problemsOf(errors, root);
  return new Failure(message, problems.map(problemText), { ...error.report, errors: problems.map(reportOf) });
}
