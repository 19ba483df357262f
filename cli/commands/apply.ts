/** `sluice apply` */
import { exits } from "../failure.ts";
import { mergeKnown } from "../merge.ts";
import type { Spec } from "../spec.ts";
import { type WriteOptions, writeDocument, writeOptions } from "../write.ts";

export const apply: Spec<WriteOptions> = {
  usage: "apply",
  summary: "make the gateway have what the files say",
  description: [
    "Puts what the files name into the configuration in force: each service, rate limit, route and member of `gateway` as a whole. What they do not name stays as it is, so nothing that others have added is lost; `sluice sync` removes it. Routes of the files stand in the order of the files.",
    "If somebody else changes the configuration at the same moment, it is read and merged anew. If nothing would change, there is no new revision.",
    "With --canary it is a revision that only so many percent of the clients get, always the same ones; the others have what is in force until `sluice canary promote`. The same files with another percentage change the share. Nothing else can be applied while a canary is running.",
    "Needs the admin token.",
  ],
  options: writeOptions(),
  examples: [
    [
      "sluice apply -f sluice.yaml --overlay production.yaml --note 'orders v2'",
      "Apply a configuration as it is to be in production:",
    ],
    ["sluice apply -f orders.yaml --canary 10", "Try it on some clients first:"],
    ["sluice apply -f orders.yaml --dry-run --show", "See all of what would be in force with one more file:"],
  ],
  run: async (context, given) => {
    await writeDocument(context, given, mergeKnown, async () => {});
    return exits.ok;
  },
};
