/** Matches of an HTTPRoute; ours mean the same. One that cannot be said is left out, so that it does not fit more. */
import { HeaderName, Method, ParameterName, Path, Pattern } from "../../../src/schema/names.ts";
import type { Part } from "../reader.ts";
import { isExpression } from "../regex.ts";
import type { Match } from "../types.ts";

type PathMatch = NonNullable<Match["path"]>;

/** The matches of a rule; undefined when there were some and none is left. */
export function matchesOf(rule: Part): Match[] | undefined {
  const items = rule.get("matches").items();
  if (items.length === 0) return [{ path: { prefix: "/" } }];
  const matches = items.flatMap((item) => matchOf(item) ?? []);
  return matches.length > 0 ? matches : undefined;
}

function matchOf(part: Part): Match | undefined {
  const path = pathOf(part.get("path"));
  const method = part.get("method").text();
  const headers = part
    .get("headers")
    .items()
    .map((item) => criterionOf(item, HeaderName));
  const query = part
    .get("queryParams")
    .items()
    .map((item) => criterionOf(item, ParameterName));
  const isMethod = method === undefined || Method.safeParse(method).success;
  if (path === undefined || !isMethod || headers.includes(undefined) || query.includes(undefined)) {
    part.drop("match", "A condition of it is not valid here, so the match was left out.");
    return undefined;
  }
  return {
    path,
    ...(method !== undefined && { methods: [method] }),
    ...(headers.length > 0 && { headers: headers as NonNullable<Match["headers"]> }),
    ...(query.length > 0 && { query: query as NonNullable<Match["query"]> }),
  };
}

function pathOf(part: Part): PathMatch | undefined {
  const type = part.get("type").text() ?? "PathPrefix";
  const value = part.get("value").text() ?? "/";
  if (type === "RegularExpression") {
    if (!isExpression(value)) return undefined;
    part.remark(
      "path by expression",
      "It is RE2's and has to fit the whole path; each Gateway has a dialect of its own.",
    );
    return { regex: value };
  }
  if (!Path.safeParse(value).success) return undefined;
  if (type === "PathPrefix") return { prefix: value };
  return type === "Exact" ? { exact: value } : undefined;
}

function criterionOf(part: Part, names: typeof HeaderName | typeof ParameterName): object | undefined {
  const type = part.get("type").text() ?? "Exact";
  const [name, value] = [part.get("name").text(), part.get("value").text()];
  if (value === undefined || !names.safeParse(name).success || !Pattern.safeParse(value).success) return undefined;
  if (type === "Exact") return { name, exact: value };
  if (type !== "RegularExpression" || !isExpression(value)) return undefined;
  part.remark(
    "value by expression",
    "It is RE2's and has to fit the whole value; each Gateway has a dialect of its own.",
  );
  return { name, regex: value };
}
