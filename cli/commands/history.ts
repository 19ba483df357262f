/** `sluice history` */
import { Option } from "commander";
import type { z } from "zod";
import { bounds } from "../../src/bounds.ts";
import type * as schema from "../../src/schema/api.ts";
import type { Api } from "../api.ts";
import { exits } from "../failure.ts";
import { limits } from "../limits.ts";
import { table } from "../output.ts";
import { withProgress } from "../progress.ts";
import { numberFrom, options, type Spec } from "../spec.ts";

type Revision = z.output<typeof schema.RevisionsAnswer>["revisions"][number];

export const history: Spec<{ readonly limit: number }> = {
  usage: "history",
  summary: "list the revisions of the configuration",
  description: [
    `Lists revisions, the newest first: when, by which token, why, and how many versions of deployed Workers cannot compile it. The gateway keeps the newest ${bounds.revisionsKeptMax}.`,
    "Needs the viewer token.",
  ],
  options: [
    new Option("--limit <count>", "how many")
      .argParser(numberFrom(1, limits.historyMax))
      .default(limits.historyDefault),
    options.url(),
    options.json("{revisions}"),
  ],
  examples: [["sluice history --limit 5", "Who has changed something lately?"]],
  run: async ({ io, out, api }, { limit }) => {
    const gateway = api();
    const revisions = await withProgress(io, `Reading ${gateway.url}`, readRevisions(gateway, limit));
    if (out.isJson) out.json({ revisions });
    const rows = revisions.map(({ revision, time, author, rejectedBy, hash, note }) => [
      ...[`${revision}`, time, author, hash.slice(0, 12)],
      rejectedBy.length === 0 ? "" : ([`${rejectedBy.length}`, "red"] as const),
      note ?? "",
    ]);
    out.text(table(["REVISION", "TIME", "AUTHOR", "HASH", "REJECTED BY", "NOTE"], rows, out.paint));
    return exits.ok;
  },
};

async function readRevisions(api: Api, count: number): Promise<Revision[]> {
  const revisions: Revision[] = [];
  let before: number | undefined;
  while (revisions.length < count) {
    const limit = Math.min(count - revisions.length, bounds.revisionsPerPageMax);
    const { body } = await api.call<z.output<typeof schema.RevisionsAnswer>>("/v1/config/revisions", {
      query: { limit, before },
    });
    revisions.push(...body.revisions);
    if (body.next === null) break;
    before = body.next;
  }
  return revisions;
}
