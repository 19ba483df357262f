/** `sluice canary` */
import type { z } from "zod";
import type { JsonDiff } from "../../src/core/json/diff.ts";
import type * as schema from "../../src/schema/api.ts";
import type { Api } from "../api.ts";
import { canaryText, readCanary } from "../canary.ts";
import { changesText, counted } from "../changes.ts";
import { readCurrent, readRevision } from "../documents.ts";
import { exits, Failure } from "../failure.ts";
import { plain } from "../output.ts";
import { withProgress } from "../progress.ts";
import { type Context, options, type Spec } from "../spec.ts";

/** What can be done with a canary, and what is said of the revision that is in force then. */
const actions = {
  promote: { method: "POST", path: "/v1/config/canary/promote", said: "the canary is promoted" },
  abort: { method: "DELETE", path: "/v1/config/canary", said: "the canary is ended" },
} as const;
export const canaryActions = Object.keys(actions);

export const canary: Spec = {
  usage: "canary [action]",
  summary: "show the revision that is tried on some clients, promote it or end it",
  description: [
    "Without an action: shows the canary that `sluice apply --canary` or `sluice sync --canary` began, on how many percent of the clients it is tried, since when, and what it has otherwise than the revision in force.",
    "promote: puts it in force for all clients, under its own number. abort: ends it; the revision in force stays, for all clients. Both are refused when no canary is running.",
    "Needs the viewer token, with an action the admin token.",
  ],
  arguments: { action: `${canaryActions.join(" or ")}; shows it when left out` },
  options: [
    options.url(),
    options.json(
      "{inForce, canary: {revision, percent, since} or null, changes, truncated}; with an action what the admin API answers",
    ),
  ],
  examples: [
    ["sluice canary", "What is being tried?"],
    ["sluice canary promote", "Let all clients have it:"],
    ["sluice canary abort", "Let nobody have it:"],
  ],
  run: async (context, _, given) => {
    if (given !== undefined && !Object.hasOwn(actions, given)) {
      throw new Failure(`${JSON.stringify(given)} is none of ${canaryActions.join(", ")}`);
    }
    const gateway = context.api();
    if (given === undefined) {
      await show(context, gateway);
      return exits.ok;
    }
    const { method, path, said } = actions[given as keyof typeof actions];
    const ending = gateway.call<z.output<typeof schema.ApplyAnswer>>(path, { method });
    const { body } = await withProgress(context.io, `Changing ${gateway.url}`, ending);
    if (context.out.isJson) context.out.json(body);
    else context.out.note(`${said}: revision ${body.revision} is in force for all clients`);
    return exits.ok;
  },
};

/** Prints what is in force, what is tried, and how they differ. */
async function show({ io, out }: Context, api: Api): Promise<void> {
  const reading = Promise.all([readCurrent(api), readCanary(api)]);
  const [{ revision: inForce, root }, canary] = await withProgress(io, `Reading ${api.url}`, reading);
  if (canary === null) {
    if (out.isJson) out.json({ inForce, canary, changes: [], truncated: false });
    out.text(`no canary is running: revision ${inForce} is in force for all clients`);
    return;
  }
  const query = { from: inForce, to: canary.revision };
  const comparing = api.call<JsonDiff>("/v1/config/diff", { query });
  // The document is read for the names in it.
  const both = Promise.all([comparing, readRevision(api, canary.revision)]);
  const [{ body }, wanted] = await withProgress(io, `Reading ${api.url}`, both);
  const { changes, truncated } = body;
  if (out.isJson) out.json({ inForce, canary, changes, truncated });
  out.text(`${canaryText(canary)} since ${plain(canary.since)}; revision ${inForce} is in force\n`);
  out.text(changesText(changes, root, wanted, out.paint));
  if (truncated) out.note(`only the first ${counted(changes.length, "change")} of more`);
}
