/** What an isolate knows of the load of its services, over changes of the snapshot. */
import { expect, test } from "vitest";
import { inFlightOf, started } from "../../src/core/balancing/load.ts";
import { compileDocument } from "../../src/snapshot/compile.ts";
import type { Snapshot } from "../../src/snapshot/types.ts";
import { buildSnapshot, withCanary } from "../../src/snapshot/view.ts";
import { loadOf } from "../../src/upstream/load.ts";

/** A snapshot with these services, each with its origins. */
function snapshotOf(version: number, services: Readonly<Record<string, readonly string[]>>): Snapshot {
  const origins = (ids: readonly string[]) => ids.map((id) => ({ id, url: `https://${id}.example.com` }));
  const document = {
    services: Object.fromEntries(Object.entries(services).map(([name, ids]) => [name, { origins: origins(ids) }])),
  };
  const compiled = compileDocument(JSON.stringify(document), {});
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  return buildSnapshot(version, version, compiled.config, new Map());
}
const load = (snapshot: Snapshot, name: string) => loadOf(snapshot, snapshot.services.get(name)!, Date.now()).state;

test("a service and an origin that a canary lacks are not forgotten while it runs, whoever asks first", () => {
  const inForce = snapshotOf(1, { app: ["a", "b"], only: ["c"] });
  for (const [name, id] of [
    ["app", "a"],
    ["app", "b"],
    ["only", "c"],
  ] as const)
    started(load(inForce, name), id);
  const since = load(inForce, "app").sinceMs.get("b");
  for (const version of [2, 3]) {
    const next = withCanary(
      snapshotOf(version, { app: ["a", "b"], only: ["c"] }),
      10,
      snapshotOf(version, { app: ["a"] }),
    );
    load(next.canary!.snapshot, "app");
    expect([inFlightOf(load(next, "app"), "b"), inFlightOf(load(next, "only"), "c")]).toEqual([1, 1]);
    expect(load(next, "app").sinceMs.get("b")).toBe(since);
  }
  const after = snapshotOf(4, { app: ["a"] });
  expect([...load(after, "app").inFlight.keys()]).toEqual(["a"]);
});
