/** `sluice completion` */
import type { Command } from "commander";
import { type Completable, completionScript, shells } from "../completion.ts";
import { exits, Failure } from "../failure.ts";
import type { Spec } from "../spec.ts";
import { options } from "../spec.ts";
import { canaryActions } from "./canary.ts";

/** The command, which completes what `program` has when it runs. */
export function completion(program: Command): Spec {
  return {
    usage: "completion <shell>",
    summary: "print a completion script for a shell",
    description: ["Prints a script that completes commands, options, their choices and the names of files."],
    arguments: { shell: shells.join(" or ") },
    options: [options.json("{shell, script}")],
    examples: [
      ['eval "$(sluice completion bash)"', "In ~/.bashrc:"],
      ["sluice completion zsh > ~/.zfunc/_sluice", "For zsh, into a folder of $fpath:"],
    ],
    run: async ({ io, out }, _, given) => {
      const shell = shells.find((name) => name === given);
      if (!shell) throw new Failure(`${JSON.stringify(given)} is none of ${shells.join(", ")}`);
      const script = completionScript(shell, program.commands.map(completable));
      if (out.isJson) out.json({ shell, script });
      else io.stdout.write(script);
      return exits.ok;
    },
  };
}

function completable(command: Command): Completable {
  const helper = command.createHelp();
  return {
    name: command.name(),
    summary: command.summary(),
    options: helper.visibleOptions(command).map(({ short, long, description, argChoices, flags }) => ({
      names: [short, long].filter((name) => name !== undefined && name !== null),
      description,
      value: !flags.includes("<") ? "none" : argChoices ? argChoices : flags.includes("<path>") ? "file" : "any",
    })),
    arguments: command.registeredArguments.map((argument) => argumentValues[argument.name()] ?? "any"),
  };
}

/** What is completed for arguments, by their names. */
const argumentValues: Readonly<Record<string, Completable["arguments"][number]>> = {
  shell: [...shells],
  kind: ["kong", "gateway-api", "openapi"],
  file: "file",
  action: canaryActions,
};
