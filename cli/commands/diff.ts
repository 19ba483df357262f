/** `sluice diff` */
import { Option } from "commander";
import { changesOf, changesText, counted } from "../changes.ts";
import { type FileOptions, loadFiles, readCurrent } from "../documents.ts";
import { exits } from "../failure.ts";
import { mergeKnown, unnamedIn } from "../merge.ts";
import { withProgress } from "../progress.ts";
import { options, type Spec } from "../spec.ts";

interface Options extends FileOptions {
  readonly sync?: boolean;
}

export const diff: Spec<Options> = {
  usage: "diff",
  summary: "show what the gateway has otherwise than the files",
  description: [
    "Shows what `sluice apply` would change; with --sync, what `sluice sync` would. Places are JSON pointers with names instead of indexes: + is added, - is removed, ~ is changed.",
    "Without --sync, services, routes, rate limits and members of `gateway` that the files do not name are no difference: `apply` keeps them. They are counted on standard error.",
    "Needs the viewer token. Nothing is checked or changed.",
  ],
  options: [
    options.file(),
    options.overlay(),
    new Option("--sync", "the files are the whole truth: what they do not name is a difference"),
    options.url(),
    options.json("{revision, changes, unnamed}"),
  ],
  exits: [[exits.drift, "there is a difference"]],
  examples: [
    ["sluice diff -f sluice.yaml --overlay production.yaml", "What would apply change?"],
    ["sluice diff --sync -f sluice.yaml || echo drift", "Has anybody changed anything by hand?"],
  ],
  run: async ({ io, out, api }, given) => {
    const files = await loadFiles(io, given);
    const gateway = api();
    const { revision, root } = await withProgress(io, `Reading ${gateway.url}`, readCurrent(gateway));
    const wanted = given.sync ? files.root : mergeKnown(root, files.root);
    const changes = changesOf(root, wanted);
    const unnamed = unnamedIn(root, files.root);
    if (out.isJson) out.json({ revision, changes, unnamed });
    else if (changes.length > 0) out.text(changesText(changes, root, wanted, out.paint));
    const kept =
      given.sync || unnamed.length === 0 ? "" : `; ${counted(unnamed.length, "part")} the files do not name (--sync)`;
    out.note(
      `${changes.length === 0 ? "no changes" : counted(changes.length, "change")} against revision ${revision}${kept}`,
    );
    return changes.length === 0 ? exits.ok : exits.drift;
  },
};
