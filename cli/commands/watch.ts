/** `sluice watch` */
import { Option } from "commander";
import { exits } from "../failure.ts";
import { type Colour, plain } from "../output.ts";
import { type Context, numberFrom, options, type Spec } from "../spec.ts";
import { follow, manifestStream, type Seen, serviceStream } from "../watching.ts";

export const watch: Spec<{ readonly from?: number }> = {
  usage: "watch [service]",
  summary: "show changes of a service's origins, or of everything, as they happen",
  description: [
    "With a service: one line for each change of its origins. Without: one line for each change of what the gateway's isolates follow, that is the configuration, the origins and the health of services.",
    "Goes on until SIGINT or SIGTERM. A broken connection is resumed where it was, so no change is missed and none is shown twice. When the gateway does not keep the changes since then any more, a line says `compacted`, and it goes on with what comes next: read the origins anew.",
    "Needs the viewer token; with a service also the registrar's. With --json each event is one line.",
  ],
  arguments: { service: "name of a service" },
  options: [
    new Option(
      "--from <revision>",
      "show what came after this revision of the service, or version without one",
    ).argParser(numberFrom(0, Number.MAX_SAFE_INTEGER)),
    options.url(),
    options.json("an event a line"),
  ],
  examples: [
    ["sluice watch users", "See origins come and go:"],
    ["sluice watch --json | jq .section", "Follow everything in a program:"],
  ],
  run: async (context, { from }, service) => {
    const { io, out } = context;
    const stream = service === undefined ? manifestStream : serviceStream(service);
    const signal = io.stopSignal();
    await follow(context.api(), stream, from, signal, { seen: (seen) => show(context, seen), note: out.note });
    return exits.ok;
  },
};

const colours: Readonly<Record<string, Colour>> = {
  ...{ registered: "green", ready: "green", healthy: "green", thawed: "green" },
  ...{ expired: "red", unhealthy: "red", frozen: "red", compacted: "red", removed: "yellow", draining: "yellow" },
};

function show({ out }: Context, { position, type, about, event }: Seen): void {
  if (out.isJson) out.json(event, true);
  else out.text(`${position}  ${out.paint(colours[type] ?? "cyan", plain(type))}  ${plain(about)}`.trimEnd());
}
