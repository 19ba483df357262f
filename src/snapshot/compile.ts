/** Document -> what isolates decide on. Pure; lists everything that is wrong, with the place of each. */
import { scanJson } from "../core/json/scan.ts";
import { buildRouteTable } from "../core/routing/table.ts";
import type { Issue } from "../errors.ts";
import { Config } from "../schema/config.ts";
import { schemaIssues } from "../schema/issues.ts";
import { compileRoutes } from "./compile-route.ts";
import { compileServices } from "./compile-service.ts";
import { type Resolved, resolvePlaceholders, type Variables } from "./placeholders.ts";
import { newProblems, type Problems } from "./problems.ts";
import type { CompiledConfig } from "./types.ts";
import { refuseUnavailable } from "./unavailable.ts";

/** The compiled document with what is odd in it, or what is wrong with it: the first `issuesMax` places, and how many there are. */
export type CompileResult =
  | { readonly ok: true; readonly config: CompiledConfig; readonly warnings: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[]; readonly total: number };

/**
 * Compiles the text of a document. `variables` are those of the Worker, for placeholders and `ALLOW_PRIVATE_ORIGINS`. Never
 * throws. Each step looks at what the one before has passed: JSON, its shape, its meaning.
 */
export function compileDocument(text: string, variables: Variables): CompileResult {
  const problems = newProblems();
  const document = parseText(text, problems);
  if (problems.errors.length === 0) {
    const resolved = resolvePlaceholders(document, variables, problems);
    const config = parseShape(resolved, problems);
    const compiled = config && compileConfig(config, resolved, variables, problems);
    if (compiled && problems.errors.length === 0) return { ok: true, config: compiled, warnings: problems.warnings };
  }
  return { ok: false, issues: problems.errors, total: problems.errorsTotal };
}

function parseText(text: string, problems: Problems): unknown {
  try {
    const document: unknown = JSON.parse(text);
    for (const { detail, path } of scanJson(text).issues) problems.error(path, detail);
    return document;
  } catch (error) {
    problems.error([], `not JSON: ${(error as Error).message}`);
    return undefined;
  }
}

function parseShape({ document }: Resolved, problems: Problems): Config | null {
  const parsed = Config.safeParse(document);
  if (parsed.success) return parsed.data;
  for (const { path, detail } of schemaIssues(parsed.error)) problems.error(path, detail);
  return null;
}

function compileConfig(
  config: Config,
  { placeholders }: Resolved,
  variables: Variables,
  problems: Problems,
): CompiledConfig {
  refuseUnavailable(config, problems);
  const origins = { allowPrivate: variables.ALLOW_PRIVATE_ORIGINS === "true", placeholders };
  const services = compileServices(config, origins, problems);
  const entries = compileRoutes(config, problems);
  const table = buildRouteTable(problems.errors.length === 0 ? entries : []);
  return { gateway: config.gateway, table, services };
}
