/** `sluice sync` */
import { createInterface } from "node:readline/promises";
import { Option } from "commander";
import { counted } from "../changes.ts";
import { exits, Failure } from "../failure.ts";
import { stdinPath } from "../files/read.ts";
import type { Io } from "../io.ts";
import { plain } from "../output.ts";
import type { Spec } from "../spec.ts";
import { type WriteOptions, writeDocument, writeOptions } from "../write.ts";

interface Options extends WriteOptions {
  readonly yes?: boolean;
}

export const sync: Spec<Options> = {
  usage: "sync",
  summary: "make the files the whole configuration of the gateway",
  description: [
    "Replaces the configuration in force by the files. Services, routes, rate limits and members of `gateway` that the files do not name are removed. They are listed first, and on a terminal you are asked; elsewhere --yes must be given.",
    "If somebody else changes the configuration at the same moment, it is read anew, and you are asked again.",
    "With --canary it is tried on so many percent of the clients, as `sluice apply` describes.",
    "Needs the admin token.",
  ],
  options: writeOptions(new Option("-y, --yes", "remove without asking")),
  examples: [
    ["sluice sync -f sluice.yaml --overlay production.yaml --yes", "In a pipeline, where the repository is the truth:"],
    [
      "sluice export --url $OLD | sluice sync -f - --yes --url $NEW",
      "Copy the configuration of one gateway to another:",
    ],
  ],
  run: async (context, given) => {
    const confirm = async (unnamed: readonly string[]) => {
      if (unnamed.length === 0) return;
      const what = `${counted(unnamed.length, "part")} that the files do not name`;
      context.out.note(
        `${given.dryRun ? "would remove" : "removes"} ${what}:\n${unnamed.map((path) => `  - ${plain(path)}`).join("\n")}`,
      );
      if (given.yes || given.dryRun) return;
      if (!(await isConfirmed(context.io, given.file?.includes(stdinPath) ?? false))) {
        throw new Failure("nothing was changed", [], { unnamed });
      }
    };
    await writeDocument(context, given, (_, files) => files, confirm);
    return exits.ok;
  },
};

/** Asks on the terminal. Throws when there is none to ask. */
async function isConfirmed({ stdin, stderr }: Io, isStdinUsed: boolean): Promise<boolean> {
  if (isStdinUsed || stdin.isTTY !== true || stderr.isTTY !== true) {
    throw new Failure("nothing was changed: there is no terminal to ask on; --yes removes without asking");
  }
  stderr.write("Remove them? [y/N] ");
  const lines = createInterface({ input: stdin });
  try {
    const { value = "" } = await lines[Symbol.asyncIterator]().next();
    return /^\s*y(?:es)?\s*$/i.test(value);
  } finally {
    lines.close();
  }
}
