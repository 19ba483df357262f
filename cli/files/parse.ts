/** Text -> documents whose parts know where they stand. */
import { parseJson } from "./parse-json.ts";
import { parseYaml } from "./parse-yaml.ts";
import type { Part } from "./part.ts";
import type { Source } from "./place.ts";
import type { Problem } from "./problems.ts";

/** What a text holds. The documents are to be used only when there are no problems. */
export interface Parsed {
  /** One for JSON; of YAML those between `---`, without the empty ones: none when the text says nothing. */
  readonly documents: readonly Part[];
  readonly problems: readonly Problem[];
}

/** JSON or YAML by the ending of the name (.json; .yaml, .yml); of any other name, JSON if the text begins with `{`. */
export function parse(source: Source): Parsed {
  const [ending] = /\.(?:json|ya?ml)$/i.exec(source.name) ?? [];
  const isJson = ending === undefined ? /^\s*\{/.test(source.text) : ending.toLowerCase() === ".json";
  return isJson ? parseJson(source) : parseYaml(source);
}
