/** Document -> what isolates decide on. Pure; lists everything that is wrong, with the place of each. */
import { isSpotless, scanJson } from "../core/json/scan.ts";
import { normalizeHost } from "../core/routing/host.ts";
import { prefixPath } from "../core/routing/matcher.ts";
import { normalizePath } from "../core/routing/path.ts";
import { buildRouteTable } from "../core/routing/table.ts";
import type { Issue } from "../errors.ts";
import { Config } from "../schema/config.ts";
import { schemaIssues } from "../schema/issues.ts";
import { misfit, type QuickParser, quickParser } from "../schema/quick.ts";
import { compileLimits } from "./compile-limits.ts";
import { compileRoutes } from "./compile-route.ts";
import { compileServices } from "./compile-service.ts";
import { withoutMisshapen } from "./misshapen.ts";
import { type Resolved, resolvePlaceholders, type Variables } from "./placeholders.ts";
import { newProblems, type Problems } from "./problems.ts";
import type { CompiledConfig } from "./types.ts";

/** The compiled document with what is odd in it, or what is wrong with it: the first `issuesMax` places, and how many there are. */
export type CompileResult =
  | { readonly ok: true; readonly config: CompiledConfig; readonly warnings: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[]; readonly total: number };

/**
 * Compiles the text of a document. `variables` are those of the Worker, for placeholders and `ALLOW_PRIVATE_ORIGINS`. Never
 * throws. Of what has the right shape the meaning is checked too, so that everything is listed at once. `revision` is what the
 * document has, by which objects know the newest settings; 0 when it has none yet. Only then it is looked through for what JSON
 * leaves open: a name that comes twice, say.
 */
export function compileDocument(text: string, variables: Variables, revision = 0): CompileResult {
  const problems = newProblems();
  const document = parseText(text, revision > 0, problems);
  if (problems.errors.length === 0) {
    const resolved = hasPlaceholders(text)
      ? resolvePlaceholders(document, variables, problems)
      : { document, placeholders: new Map<string, string>() };
    const config = parseShape(resolved, problems);
    const compiled = config && compileConfig(config, resolved, variables, revision, problems);
    if (compiled && problems.errors.length === 0) return { ok: true, config: compiled, warnings: problems.warnings };
  }
  return { ok: false, issues: problems.errors, total: problems.errorsTotal };
}

/** May the text have a placeholder? Its characters may be escaped. */
const hasPlaceholders = (text: string) => text.includes("${") || text.includes("\\u");

/** `isInForce`: it was looked through when it was written. */
function parseText(text: string, isInForce: boolean, problems: Problems): unknown {
  try {
    const document: unknown = JSON.parse(text);
    if (isInForce || isSpotless(text, document)) return document;
    for (const { detail, path } of scanJson(text).issues) problems.error(path, detail);
    return document;
  } catch (error) {
    problems.error([], `not JSON: ${(error as Error).message}`);
    return undefined;
  }
}

/** Made for the first document: an isolate that compiles none has nothing to pay. */
let quickConfig: QuickParser | undefined;

/** The document by its schema; what has another shape is an error and is left aside, so that the rest is looked at too. */
function parseShape({ document }: Resolved, problems: Problems): Config | null {
  quickConfig ??= quickParser(Config);
  const accepted = quickConfig(document);
  if (accepted !== misfit) return accepted as Config;
  const parsed = Config.safeParse(document);
  if (parsed.success) return parsed.data;
  const issues = schemaIssues(parsed.error);
  for (const { path, detail } of issues) problems.error(path, detail);
  const rest = Config.safeParse(withoutMisshapen(document, issues));
  // What cannot be left aside alone (a part that others refer to, say) has to be mended first.
  return rest.success ? rest.data : null;
}

function compileConfig(
  config: Config,
  { placeholders }: Resolved,
  variables: Variables,
  revision: number,
  problems: Problems,
): CompiledConfig {
  const origins = { allowPrivate: variables.ALLOW_PRIVATE_ORIGINS === "true", placeholders };
  const services = compileServices(config, revision, origins, problems);
  const limits = compileLimits(config, revision, problems);
  const entries = compileRoutes(config, limits, problems);
  const table = buildRouteTable(problems.errors.length === 0 ? entries : []);
  const hidden = placeholderOf(placeholders, variables);
  return { gateway: config.gateway, table, services, limits, placeholders: hidden };
}

/** The placeholder of each text that came from a variable, also as hosts and paths are spelled when compiled. */
function placeholderOf(placeholders: ReadonlyMap<string, string>, variables: Variables): Map<string, string> {
  return new Map(
    [...new Set(placeholders.values())].flatMap((placeholder) => {
      const text = String(variables[placeholder.slice(2, -1)]);
      const spellings = [text, normalizeHost(text), normalizePath(text), prefixPath(text).path];
      return spellings.filter((spelling) => spelling !== "").map((spelling) => [spelling, placeholder] as const);
    }),
  );
}
