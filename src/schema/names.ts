/** The small shapes that every part of the document is written with. */
import * as z from "zod";
import { bounds } from "../bounds.ts";

/** Name of a route, service, origin, version, limit or zone: letters, digits, `.`, `_`, `-`, first a letter or digit. */
export const Name = z
  .string()
  .max(bounds.nameLengthMax)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    "must begin with a letter or digit and hold only letters, digits, '.', '_' and '-'",
  );

/** Field name of an HTTP header (RFC 9110 5.1). */
export const HeaderName = z
  .string()
  .max(bounds.nameLengthMax)
  .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, "must be an HTTP header name");

/** Field value of an HTTP header: no control characters, nothing above U+00FF, no space at either end. */
export const HeaderValue = z
  .string()
  .max(bounds.headerValueLengthMax)
  .regex(
    /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/,
    "must be a valid HTTP header value",
  );

/** Name of a query parameter or cookie. */
export const ParameterName = z.string().min(1).max(bounds.nameLengthMax);

/** Text that a value is compared with; an empty one is refused, as it would match what nobody meant. */
export const Pattern = z.string().min(1).max(bounds.patternLengthMax);

/**
 * Absolute path, "/" first, of the characters that a path in a URL has (RFC 3986 3.3) or that are percent-encoded for
 * matching (anything beyond ASCII). A space, quote or brace reaches the gateway encoded only, so it could never match.
 */
export const Path = z
  .string()
  .max(bounds.patternLengthMax)
  .regex(
    /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@/%\u0080-\uffff]*$/,
    "must begin with '/' and hold only characters of a URL's path; write others percent-encoded",
  );

/** Share of the traffic, relative to the other weights beside it. 0 = none. */
export const Weight = z.number().min(0).max(bounds.weightMax);

/** HTTP method in upper case, as RFC 9110 spells them; others are refused since methods are case-sensitive. */
export const Method = z.string().regex(/^[A-Z][A-Z-]{0,31}$/, "must be an HTTP method in upper case");

/** Some methods, at least one. */
export const Methods = z.array(Method).min(1).max(bounds.criteriaPerMatchMax);

/** Moment in time, RFC 3339 with a zone: `2027-01-31T00:00:00Z`. */
export const Instant = z.iso.datetime({ offset: true });

/**
 * Source of a client key: `ip`, `path`, `route`, `global`, `header:<name>`, `cookie:<name>`, `query:<name>` or
 * `path-param:<name>`; of a list the first that is present is taken.
 */
export const KeySources = z
  .array(z.string().max(bounds.nameLengthMax * 2))
  .min(1)
  .max(8);
