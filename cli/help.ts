/** `--help` as a manual page. */
import type { Argument, Command, Help, Option } from "commander";
import { limits } from "./limits.ts";
import type { Spec } from "./spec.ts";

/** What a manual page needs beyond what commander knows. */
export type Manual = Pick<Spec, "description" | "exits" | "examples"> & { readonly callsGateway: boolean };

type Pair = readonly [term: string, description: string];

/** Columns by which a page is indented. */
const indent = 4;

const environment: readonly Pair[] = [
  ["SLUICE_URL", "base URL of the gateway, when --url is not given"],
  ["SLUICE_TOKEN", "token of the gateway; there is no option for it, since a command line can be seen by others"],
];
const noColour: Pair = ["NO_COLOR", "set to anything: no colours; without a terminal there are none anyway"];

/** The page of a command, in lines of at most `width` columns. */
export function manualPage(command: Command, helper: Help, manual: Manual, width: number): string {
  const prose = (text: string) => indented(helper.boxWrap(text, width - indent), indent);
  const deeper = (text: string) => indented(helper.boxWrap(text, width - 2 * indent), 2 * indent);
  const pairs = (list: readonly Pair[]) =>
    list.map(([term, text]) => `${indented(term, indent)}\n${deeper(text)}`).join("\n\n");
  const columns = (list: readonly Pair[]) => {
    const termWidth = Math.max(0, ...list.map(([term]) => term.length)) + 2;
    const hang = indent + termWidth;
    const line = ([term, text]: Pair) =>
      indented(term.padEnd(termWidth), indent) + indented(helper.boxWrap(text, width - hang), hang).trimStart();
    return list.map(line).join("\n");
  };
  const name = nameOf(command);
  const exits: readonly Pair[] = [
    ["0", "it is done"],
    ["1", "it is not: wrong usage or files, a refusal, or no gateway that answers"],
    ...(manual.exits ?? []).map(([code, text]): Pair => [`${code}`, text]),
  ];
  const sections: readonly Pair[] = [
    ["NAME", prose(`${name} - ${command.summary()}`)],
    ["SYNOPSIS", prose(`${name} ${command.usage()}`)],
    ["DESCRIPTION", manual.description.map(prose).join("\n\n")],
    ["COMMANDS", columns(helper.visibleCommands(command).map((sub) => [sub.name(), sub.summary()]))],
    [
      "ARGUMENTS",
      pairs(helper.visibleArguments(command).map((argument) => [argumentTerm(argument), argument.description])),
    ],
    ["OPTIONS", pairs(helper.visibleOptions(command).map((option) => [option.flags, optionText(option)]))],
    ["EXIT STATUS", columns(exits)],
    ["ENVIRONMENT", columns([...(manual.callsGateway ? environment : []), noColour])],
    [
      "EXAMPLES",
      manual.examples.map(([line, text]) => `${prose(text)}\n\n${indented(`$ ${line}`, 2 * indent)}`).join("\n\n"),
    ],
  ];
  const filled = sections.filter(([, text]) => text !== "");
  return `${filled.map(([title, text]) => `${helper.styleTitle(title)}\n${text}`).join("\n\n")}\n`;
}

/** `sluice diff`. */
export function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

/** As wide as the terminal, but not wider than one reads well. */
export function widthFor(columns: number | undefined): number {
  return Math.min(columns || limits.widthMax, limits.widthMax);
}

function argumentTerm(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

function optionText({ description, argChoices, defaultValue }: Option): string {
  const choices = argChoices ? `: ${argChoices.join(", ")}` : "";
  const usual = defaultValue === undefined ? "" : ` (default: ${defaultValue})`;
  return description + choices + usual;
}

function indented(text: string, columns: number): string {
  return text.replaceAll(/^(?=.)/gm, " ".repeat(columns));
}
