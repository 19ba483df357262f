/** Writes what is made from the schema and the CLI: sluice.schema.json, docs/configuration.md, docs/cli.md. Run: npm run generate */
import { writeFileSync } from "node:fs";
import { generated } from "./generated.ts";

for (const [path, text] of Object.entries(generated())) writeFileSync(new URL(`../${path}`, import.meta.url), text);
