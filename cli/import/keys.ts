/** Keys by which clients are told apart. */
import { parseKeySource } from "../../src/core/keys/keys.ts";
import type { Part } from "./part.ts";

/** `<kind>:<name>` where `name` is a part; undefined, with a note, when it is no key. */
export function namedKey(kind: "header" | "query" | "cookie", name: Part): string | undefined {
  const key = `${kind}:${name.text() ?? ""}`;
  if (parseKeySource(key) !== null) return key;
  name.drop(`key by ${kind}`, "It has no valid name.");
  return undefined;
}
