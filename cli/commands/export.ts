/** `sluice export` */
import { Option } from "commander";
import { readCurrent } from "../documents.ts";
import { exits } from "../failure.ts";
import { jsonOf } from "../files/part.ts";
import { withProgress } from "../progress.ts";
import { options, type Spec } from "../spec.ts";
import { yamlOf } from "../yaml.ts";

interface Options {
  readonly format: "json" | "yaml";
  readonly json?: boolean;
}

export const exportCommand: Spec<Options> = {
  usage: "export",
  summary: "print the configuration in force",
  description: [
    "Prints the document as files have it: what is printed can be given to `sluice sync`. A placeholder is printed as such; what it stands for never leaves the gateway.",
    "Needs the viewer token.",
  ],
  options: [
    new Option("--format <format>", "of the document").choices(["json", "yaml"]).default("json"),
    options.url(),
    new Option("--json", "the same as --format json"),
  ],
  examples: [
    ["sluice export --format yaml > backup.yaml", "Keep a copy:"],
    ["sluice export | sluice validate -f -", "Would this version of the CLI accept what is in force?"],
  ],
  run: async ({ io, api }, { format, json }) => {
    const gateway = api();
    const { root } = await withProgress(io, `Reading ${gateway.url}`, readCurrent(gateway));
    const document = jsonOf(root);
    io.stdout.write(format === "yaml" && !json ? yamlOf(document) : `${JSON.stringify(document, null, 2)}\n`);
    return exits.ok;
  },
};
