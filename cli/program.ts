/** The commands as commander has them. */
import { Command, createArgument, type Help } from "commander";
import project from "../package.json" with { type: "json" };
import { apply } from "./commands/apply.ts";
import { canary } from "./commands/canary.ts";
import { completion } from "./commands/completion.ts";
import { diff } from "./commands/diff.ts";
import { drain } from "./commands/drain.ts";
import { explain } from "./commands/explain.ts";
import { exportCommand } from "./commands/export.ts";
import { history } from "./commands/history.ts";
import { importCommand } from "./commands/import.ts";
import { origins } from "./commands/origins.ts";
import { register } from "./commands/register.ts";
import { rollback } from "./commands/rollback.ts";
import { status } from "./commands/status.ts";
import { sync } from "./commands/sync.ts";
import { validate } from "./commands/validate.ts";
import { watch } from "./commands/watch.ts";
import { type Manual, manualPage, widthFor } from "./help.ts";
import type { Io } from "./io.ts";
import { hasColours, newOutput, paintFor } from "./output.ts";
import { apiOf, type ServerOptions, type Spec } from "./spec.ts";

const specs: readonly Spec[] = [
  validate,
  diff,
  apply,
  sync,
  canary,
  exportCommand,
  history,
  rollback,
  explain,
  origins,
  register,
  drain,
  watch,
  status,
  importCommand,
];

const about: Manual = {
  description: [
    "Works with the configuration and the origins of a Sluice gateway over its admin API.",
    'The configuration is one document, written in one or several files of JSON or YAML. An overlay says what is otherwise in one environment: objects merge, null removes a member, lists of named items (routes, origins) merge by name or id, an item with "$remove": true is taken away, every other list is replaced.',
    "Data goes to standard output, everything else to standard error. With --json a failure is {error: {message}}, with code, status, requestId and errors of a refusal, or the problems of files.",
    "`sluice <command> --help` shows the page of a command.",
  ],
  examples: [
    ["sluice validate -f sluice.yaml --overlay staging.yaml", "Is the configuration right?"],
    ["sluice diff -f sluice.yaml --overlay staging.yaml", "What would change?"],
    ["sluice apply -f sluice.yaml --overlay staging.yaml --note 'orders v2'", "Change it:"],
  ],
  callsGateway: true,
};

/** The program. `ended` is told the exit code of the command that ran. */
export function newProgram(io: Io, ended: (code: number) => void): Command {
  const program = configured(new Command("sluice"), about, io)
    .version(project.version, "-V, --version", "show the version")
    .summary("the configuration and the origins of a Sluice gateway")
    // An option after a command is the command's: `register --version v2`.
    .enablePositionalOptions();
  program.helpCommand(false);
  const page = completion(program);
  for (const spec of [...specs, page]) program.addCommand(commandOf(spec, io, ended));
  return program;
}

function commandOf(spec: Spec, io: Io, ended: (code: number) => void): Command {
  const [name = "", ...args] = spec.usage.split(" ");
  const callsGateway = spec.options.some(({ long }) => long === "--url");
  const command = configured(new Command(name), { ...spec, callsGateway }, io).summary(spec.summary);
  for (const arg of args) {
    const argument = createArgument(arg);
    command.addArgument(createArgument(arg, spec.arguments?.[argument.name()]));
  }
  for (const option of spec.options) command.addOption(option);
  return command.action(async () => {
    const given = command.opts<ServerOptions & { json?: boolean }>();
    const context = { io, out: newOutput(io, given.json === true), api: () => apiOf(io, given.url) };
    ended(await spec.run(context, given, ...command.processedArgs));
  });
}

function configured(command: Command, manual: Manual, io: Io): Command {
  const { stdout, stderr, env } = io;
  const paint = paintFor(stdout, env);
  return command
    .exitOverride()
    .helpOption("-h, --help", "show this page")
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, "sluice: ")),
      getOutHasColors: () => hasColours(stdout, env),
      getErrHasColors: () => hasColours(stderr, env),
    })
    .configureHelp({
      styleTitle: (title) => paint("bold", title),
      formatHelp: (shown: Command, helper: Help) => manualPage(shown, helper, manual, widthFor(stdout.columns)),
    });
}
