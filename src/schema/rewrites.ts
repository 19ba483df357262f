/** What is changed on a request or an answer on its way. */
import * as z from "zod";
import { bounds } from "../bounds.ts";
import { HeaderName, HeaderValue, Path } from "./names.ts";
import { one, onlyOne } from "./one-of.ts";

/** Values by header name. */
export const Headers = z
  .record(HeaderName, HeaderValue)
  .refine((headers) => Object.keys(headers).length <= bounds.headerEditsMax, {
    error: `at most ${bounds.headerEditsMax} headers`,
  });
/** Members of every object that edits headers. */
export const headerEditsShape = {
  setHeaders: Headers.optional().describe("Replaces every value"),
  addHeaders: Headers.optional().describe("Adds a value to those that are there"),
  removeHeaders: z.array(HeaderName).max(bounds.headerEditsMax).optional().describe("Before setting and adding"),
};

const onePathRewrite = one(["replaceFullPath", "replacePrefixMatch"]);
/** How a path is replaced, by rewrites and redirects. */
export const PathRewrite = z
  .strictObject({
    replaceFullPath: Path.optional(),
    replacePrefixMatch: z
      .union([z.literal(""), Path])
      .optional()
      .describe("Replaces the prefix that matched; every match must be a prefix"),
  })
  .refine(onePathRewrite.check, onePathRewrite.message)
  .meta(onlyOne);

/** What is changed on a request on its way to the origin. */
export const Rewrite = z.strictObject({
  stripPrefix: Path.optional().describe("Cuts whole segments; a path that does not begin with it stays"),
  path: PathRewrite.optional().describe("After stripPrefix"),
  ...headerEditsShape,
});
