/** `sluice drain` */
import { Option } from "commander";
import type { z } from "zod";
import { bounds } from "../../src/bounds.ts";
import type * as schema from "../../src/schema/api.ts";
import { exits } from "../failure.ts";
import { withProgress } from "../progress.ts";
import { originPath } from "../services.ts";
import { numberFrom, options, type Spec } from "../spec.ts";

export const drain: Spec<{ readonly grace?: number }> = {
  usage: "drain <service> <origin>",
  summary: "send an origin no new requests, then remove it",
  description: [
    "The origin gets no new requests and is removed when the grace is over. An origin that registers again is ready again. Origins that the configuration lists cannot be drained.",
    "Needs the registrar token.",
  ],
  arguments: { service: "name of the service", origin: "id of the origin" },
  options: [
    new Option(
      "--grace <seconds>",
      `time until it is removed; ${bounds.drainGraceSecondsDefault} when left out, 0 = at once`,
    ).argParser(numberFrom(0, bounds.drainGraceSecondsMax)),
    options.url(),
    options.json("what the admin API answers"),
  ],
  examples: [["sluice drain users users-a --grace 60", "Take an origin out of service:"]],
  run: async ({ io, out, api }, { grace }, service = "", origin = "") => {
    const gateway = api();
    const call = gateway.call<z.output<typeof schema.DrainAnswer>>(`${originPath(service, origin)}/drain`, {
      method: "POST",
      body: JSON.stringify({ graceSeconds: grace }),
    });
    const { body } = await withProgress(io, `Draining at ${gateway.url}`, call);
    if (out.isJson) out.json(body);
    out.text(`${service}/${origin} is draining; it is removed in ${grace ?? bounds.drainGraceSecondsDefault} s`);
    return exits.ok;
  },
};
