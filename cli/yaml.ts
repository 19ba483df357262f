/** JSON values as YAML that reads as the same value again. */
import { Document, isScalar, visit } from "yaml";
import type { JsonValue } from "../src/core/json/types.ts";

/** YAML 1.2 text of a value, with a line break at the end. */
export function yamlOf(value: JsonValue): string {
  const document = new Document(value, { aliasDuplicateObjects: false, version: "1.2", schema: "core" });
  visit(document, {
    Pair: (_, { key }) => {
      // Without quotes it is a merge key, not a name.
      if (isScalar(key) && key.value === "<<") key.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0 });
}
