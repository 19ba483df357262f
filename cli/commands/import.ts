/** `sluice import` */
import { Option } from "commander";
import { counted } from "../changes.ts";
import { wrongFiles } from "../documents.ts";
import { exits, Failure } from "../failure.ts";
import { parse } from "../files/parse.ts";
import { jsonOf, type Part } from "../files/part.ts";
import { type Location, locationOf } from "../files/place.ts";
import { find, stepText } from "../files/pointer.ts";
import { readSource } from "../files/read.ts";
import { type Imported, importGatewayApi, importKong, importOpenApi, type Place, summarize } from "../import/index.ts";
import { plain } from "../output.ts";
import type { Spec } from "../spec.ts";
import { yamlOf } from "../yaml.ts";

interface Options {
  readonly format: "json" | "yaml";
  readonly json?: boolean;
  readonly strict?: boolean;
}

const importers: Readonly<Record<string, (documents: readonly unknown[]) => Imported>> = {
  kong: importKong,
  "gateway-api": (documents) => importGatewayApi(documents),
  openapi: importOpenApi,
};

export const importCommand: Spec<Options> = {
  usage: "import <kind> <file>",
  summary: "translate the configuration of another gateway, or the description of an API",
  description: [
    "kong: a declarative configuration as decK writes it. gateway-api: HTTPRoutes and Gateways of Kubernetes. openapi: an OpenAPI 3 document, a route for each operation.",
    "Prints a configuration of Sluice. What could not be translated, or only approximately, is listed on standard error with its place: nothing is left out silently. Read the notes before you apply the result.",
    "No gateway is called.",
  ],
  arguments: { kind: "kong, gateway-api or openapi", file: "YAML or JSON; - is standard input" },
  options: [
    new Option("--format <format>", "of the configuration").choices(["yaml", "json"]).default("yaml"),
    new Option("--strict", "end with 3 when there is a note"),
    new Option("--json", "print one object of JSON with the members config and notes"),
  ],
  exits: [[exits.notes, "with --strict: not everything could be translated"]],
  examples: [["sluice import kong kong.yaml > sluice.yaml", "Move from Kong:"]],
  run: async ({ io, out }, { format, json, strict }, kind = "", path = "") => {
    const importer = Object.hasOwn(importers, kind) ? importers[kind] : undefined;
    if (!importer) throw new Failure(`${JSON.stringify(kind)} is none of ${Object.keys(importers).join(", ")}`);
    const source = await readSource(path, io.stdin);
    if (typeof source === "string") throw new Failure(`${path}: ${source}`);
    const { documents, problems } = parse(source);
    if (problems.length > 0) throw wrongFiles(problems);
    if (documents.length === 0) throw new Failure(`${path}: there is nothing in it`);
    const { config, notes } = importer(documents.map(jsonOf));
    const groups = summarize(notes).map(({ places, ...said }) => ({
      ...said,
      places: places.map((place) => ({ ...locate(documents, place), path: pointerOf(place) })),
    }));
    // What is undefined is not there, for YAML as for JSON.
    const document = JSON.parse(JSON.stringify(config));
    if (json) out.json({ config: document, notes: groups });
    else io.stdout.write(format === "yaml" ? yamlOf(document) : `${JSON.stringify(document, null, 2)}\n`);
    for (const { what, why, hint, places } of groups) {
      const where = places.map(({ file, line, column }) => `${file}:${line}:${column}`).join(" ");
      out.note(plain(`${why}: ${what}. ${hint}`));
      out.note(plain(`    ${where}`));
    }
    if (groups.length > 0) out.note(`${counted(groups.length, "note")}`);
    return strict && groups.length > 0 ? exits.notes : exits.ok;
  },
};

function pointerOf({ path }: Place): string {
  return path.map((step) => stepText(`${step}`)).join("");
}

function locate(documents: readonly Part[], place: Place): Location {
  const root = documents[place.document] ?? documents[0]!;
  const { key, part } = find(root, pointerOf(place));
  return locationOf(key ?? part.at);
}
