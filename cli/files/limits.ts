/** Bounds of what the CLI reads from files. How large and deep a document may be is the gateway's own (`src/bounds.ts`). */
import { bounds } from "../../src/bounds.ts";

export const limits = Object.freeze({
  /** Largest file or standard input, in bytes; the document made of all of them has the same bound. */
  fileBytesMax: bounds.configBytesMax,
  /** Parts (values, however small) that the aliases of one file may stand for, all together. */
  aliasPartsMax: 500_000,
  /** Longest piece of a source line shown with a problem, in characters. */
  excerptLengthMax: 100,
});
