/** The files that are made from the schema and from the CLI's help, by their path from the root; a test compares them with what is there. */
import { configJsonSchema } from "../src/schema/config.ts";
import { cliReference } from "./cli-reference.ts";
import { configurationReference } from "./configuration-reference.ts";

export function generated(): Record<string, string> {
  const schema = configJsonSchema();
  return {
    "sluice.schema.json": `${JSON.stringify(schema, null, 2)}\n`,
    "docs/configuration.md": configurationReference(schema),
    "docs/cli.md": cliReference(),
  };
}
