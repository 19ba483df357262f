/** The name under which a rate limit's state of one key is kept, in the isolate's table and by its object. */
import { bounds } from "../bounds.ts";
import { sha256Hex } from "../digest.ts";

/**
 * Name of `keyText` (`<source>=<value>`) under the limit `limit`. Every name of a limit and key is another: the limit's own
 * name has no "|", and a hashed name has none at all. At most `limitKeyLengthMax` characters, however long the key.
 */
export function limitKeyOf(limit: string, keyText: string): string | Promise<string> {
  const name = `${limit}|${keyText}`;
  return name.length <= bounds.limitKeyLengthMax ? name : sha256Hex(name).then((hash) => `sha256:${hash}`);
}
