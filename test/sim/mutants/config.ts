/** Faults of revisions and snapshots. */
import { isolate, type Mutant, object } from "./mutant.ts";

export const config: readonly Mutant[] = [
  {
    name: "a writer compares before it waits, and swaps after",
    part: "config",
    withinSeeds: 400,
    rules: ["linear"],
    patches: [
      object(
        "control-plane",
        "const hash = await sha256Hex(request.text);\n    // From here on nothing awaits: compare and swap are one step.\n    const head = this.#head();",
        "const head = this.#head();\n    const hash = await sha256Hex(request.text);",
      ),
    ],
  },
  {
    name: "a writer does not compare",
    part: "config",
    withinSeeds: 100,
    rules: ["linear"],
    patches: [
      object(
        "control-plane",
        "if (request.ifRevision !== null && request.ifRevision !== revision) {",
        "if (request.ifRevision === -1) {",
      ),
    ],
  },
  {
    name: "a new configuration does not end the canary",
    part: "config",
    withinSeeds: 200,
    rules: ["linear", "C"],
    patches: [object("control-plane", "this.#endCanary();\n        if (!isSame)", "if (!isSame)")],
  },
  {
    name: "an isolate goes back to an older manifest",
    part: "config",
    withinSeeds: 1_000,
    rules: ["C1"],
    patches: [
      isolate(
        "snapshot/cache",
        "if (state.snapshot && manifest.version <= state.snapshot.version) return true;",
        "if (state.snapshot && manifest.version === state.snapshot.version) return true;",
      ),
    ],
  },
  {
    name: "a section from the location's cache is not checked",
    part: "config",
    withinSeeds: 400,
    rules: ["C", "C3", "C4", "background", "request"],
    patches: [
      isolate("clients/location-cache", "if (text !== null && (await sha256Hex(text)) === hash)", "if (text !== null)"),
    ],
  },
  {
    name: "a document that does not compile takes the last good one away",
    part: "config",
    withinSeeds: 400,
    rules: ["C", "C3", "C4", "C7"],
    patches: [
      isolate(
        "snapshot/cache",
        "state.compiled = { hash, revision, text };",
        "state.compiled = { hash, revision, text };\n  if (!compiled.ok) state.config = null;",
      ),
    ],
  },
  {
    name: "a request uses a snapshot however old it is",
    part: "config",
    withinSeeds: 400,
    rules: ["C"],
    patches: [
      isolate(
        "snapshot/cache",
        "if (!state.snapshot || (ageMs > bounds.snapshotStaleMaxMs && sinceFailureMs > bounds.snapshotOutageMsMax)) {",
        "if (!state.snapshot) {",
      ),
    ],
  },
];
