/** `sluice rollback` */
import type { z } from "zod";
import type * as schema from "../../src/schema/api.ts";
import { changesOf, changesText, counted } from "../changes.ts";
import { readCurrent } from "../documents.ts";
import { exits, Failure } from "../failure.ts";
import { withProgress } from "../progress.ts";
import { options, type Spec } from "../spec.ts";

export const rollback: Spec<{ readonly note?: string }> = {
  usage: "rollback <revision>",
  summary: "put the configuration of an earlier revision in force again",
  description: [
    "Makes a new revision with the document of an earlier one, and shows what that changed. The number of the revision never goes down. A canary that is running is ended.",
    "It is refused if somebody else changes the configuration at the same moment.",
    "Needs the admin token.",
  ],
  arguments: { revision: "number of the revision, as `sluice history` lists it" },
  options: [options.note(), options.url(), options.json("what the admin API answers")],
  examples: [["sluice rollback 41 --note 'orders v2 fails'", "Go back to revision 41:"]],
  run: async ({ io, out, api }, { note }, given = "") => {
    const revision = Number(given);
    if (!/^[1-9]\d{0,14}$/.test(given)) throw new Failure(`${JSON.stringify(given)} is not the number of a revision`);
    const gateway = api();
    const before = await withProgress(io, `Reading ${gateway.url}`, readCurrent(gateway));
    const rolledBack = gateway.call<z.output<typeof schema.ApplyAnswer>>("/v1/config/rollback", {
      method: "POST",
      body: JSON.stringify({ revision, note }),
      ifMatch: before.revision,
    });
    const { body } = await withProgress(io, `Rolling back ${gateway.url}`, rolledBack);
    if (out.isJson) {
      out.json(body);
      return exits.ok;
    }
    const after = await readCurrent(gateway);
    const changes = changesOf(before.root, after.root);
    if (changes.length > 0) out.text(changesText(changes, before.root, after.root, out.paint));
    out.note(`${counted(changes.length, "change")}: revision ${after.revision} is in force, with what ${revision} had`);
    return exits.ok;
  },
};
