/** Zod's issues -> one problem each, at the place where a person has to look. */
import type * as z from "zod";

/** One problem of a parsed value: where, as member names and indexes, and what. */
export interface SchemaIssue {
  readonly path: readonly PropertyKey[];
  readonly detail: string;
}

type ZodIssue = z.core.$ZodIssue;

/** Flattens the issues of a failed parse: an unknown key is an issue at that key, a bad record key one at its entry. */
export function schemaIssues(error: z.ZodError): SchemaIssue[] {
  return error.issues.flatMap(issuesOf);
}

function issuesOf(issue: ZodIssue): SchemaIssue[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({ path: [...issue.path, key], detail: "unknown key" }));
    case "invalid_key":
      return issue.issues.map((inner) => ({ path: issue.path, detail: `the name ${inner.message}` }));
    case "invalid_union":
      return unionIssues(issue);
    case "invalid_type":
      return [{ path: issue.path, detail: issue.input === undefined ? missingOr(issue) : issue.message }];
    default:
      return [{ path: issue.path, detail: issue.message }];
  }
}

/**
 * The issues of the form that was meant: the one whose members fit best, whatever is wrong inside them. When none stands
 * out, what each of the best asks for.
 */
function unionIssues(issue: z.core.$ZodIssueInvalidUnion): SchemaIssue[] {
  const forms = issue.errors.map((issues) => issues.flatMap(issuesOf));
  const misfits = forms.map((issues) => issues.filter(({ path }) => path.length <= 1).length);
  const [meant = [], ...others] = forms.filter((_, index) => misfits[index] === Math.min(...misfits));
  if (others.length === 0) return meant.map(({ path, detail }) => ({ path: [...issue.path, ...path], detail }));
  const wishes = [meant, ...others].flat().map(({ path, detail }) => [...path, detail].map(String).join(": "));
  return [{ path: issue.path, detail: `fits none of the forms: ${[...new Set(wishes)].join("; or ")}` }];
}

function missingOr(issue: z.core.$ZodIssueInvalidType): string {
  return issue.message.endsWith("received undefined") ? `missing: expected ${issue.expected}` : issue.message;
}
