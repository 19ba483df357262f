/** Conditions on named values: exactly one of `exact`, `prefix`, `regex`, `present` beside the name. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { HeaderName, ParameterName, Pattern } from "./names.ts";

const valueShape = {
  exact: Pattern.optional(),
  prefix: Pattern.optional(),
  regex: Pattern.optional(),
  present: z.boolean().optional(),
};

type Values = { [K in keyof typeof valueShape]?: unknown };
const oneKind = (value: Values) =>
  [value.exact, value.prefix, value.regex, value.present].filter((kind) => kind !== undefined).length === 1;
/** The same for the JSON Schema: the name and one more. */
const oneKindShape = { minProperties: 2, maxProperties: 2 };
const oneKindMessage = { error: "needs exactly one of exact, prefix, regex and present" };

/** Condition on a request header; a repeated header is its values joined by ", ". */
export const HeaderMatch = z
  .strictObject({ name: HeaderName, ...valueShape })
  .refine(oneKind, oneKindMessage)
  .meta(oneKindShape);

/** Condition on a cookie. */
export const CookieMatch = z
  .strictObject({ name: ParameterName, ...valueShape })
  .refine(oneKind, oneKindMessage)
  .meta(oneKindShape);

/** Condition on a query parameter; of a repeated one the first counts. */
export const QueryMatch = z
  .strictObject({ name: ParameterName, exact: valueShape.exact, regex: valueShape.regex, present: valueShape.present })
  .refine(oneKind, { error: "needs exactly one of exact, regex and present" })
  .meta(oneKindShape);

export const HeaderMatches = z.array(HeaderMatch).min(1).max(bounds.criteriaPerMatchMax);
export const CookieMatches = z.array(CookieMatch).min(1).max(bounds.criteriaPerMatchMax);
export const QueryMatches = z.array(QueryMatch).min(1).max(bounds.criteriaPerMatchMax);

/** What a person writes for one condition, whatever its source. */
export interface AuthoredCriterion {
  readonly name: string;
  readonly exact?: string | undefined;
  readonly prefix?: string | undefined;
  readonly regex?: string | undefined;
  readonly present?: boolean | undefined;
}
