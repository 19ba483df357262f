/** Holds every snapshot that an isolate uses against what the control plane has truly had in force (C1, C3, C4, C7). */
import { bounds } from "../../../src/bounds.ts";
import type { CompileResult } from "../../../src/snapshot/compile.ts";
import type { CompiledConfig, Snapshot } from "../../../src/snapshot/types.ts";
import { compilesAt, placeOf, serviceName } from "../documents.ts";
import type { Isolate } from "../fakes/isolate.ts";
import { calmLatencyMs } from "../faults.ts";
import { isCalm, type Plan } from "../plan.ts";
import type { Observer, Town } from "../town.ts";
import type { InForce, PlaneTruth } from "./plane-truth.ts";

type Compile = (text: string, variables: Readonly<Record<string, unknown>>, revision: number) => CompileResult;

/** Compiled documents by the function that compiles: it is pure, so one result serves all isolates and schedules. */
const compiled = new WeakMap<Compile, Map<string, CompileResult>>();
const texts = new WeakMap<CompiledConfig, string>();
const compiledMax = 5_000;

/** How old a snapshot may be that a request uses, while nothing goes wrong. */
const ageMsMax = bounds.snapshotStaleMaxMs + 4 * calmLatencyMs[1];

export class SnapshotCheck implements Observer {
  readonly #town: Town;
  readonly #truth: PlaneTruth;
  readonly #isCalm: boolean;
  readonly #used = new WeakMap<Isolate, Snapshot>();

  constructor(plan: Plan, town: Town, truth: PlaneTruth) {
    this.#town = town;
    this.#truth = truth;
    this.#isCalm = isCalm(plan);
  }

  readonly tapsOfIsolate = () => ({
    "src/snapshot/compile.ts": ({ compileDocument }: { compileDocument: Compile }) => ({
      compileDocument: (text: string, variables: Readonly<Record<string, unknown>>, revision: number) =>
        compileOnce(compileDocument, text, variables, revision),
    }),
  });

  /** A request of the isolate, which began at `sinceMs`, is about to use `snapshot`; `isLast`: it must be a new one. */
  uses(isolate: Isolate, snapshot: Snapshot | null, sinceMs: number, isLast: boolean): void {
    const { world } = this.#town;
    const tookMs = world.nowMs - sinceMs;
    if (tookMs > bounds.snapshotWaitMsMax) world.breach(`C7: a request waited ${tookMs} ms for a snapshot`);
    const before = this.#used.get(isolate);
    if (this.#isCalm || isLast) this.#checkAge(isolate, snapshot);
    if (snapshot === null) {
      if (before) world.breach("C7: a snapshot was lost");
      return;
    }
    if (before === snapshot) return;
    if (before && snapshot.version < before.version) {
      world.breach(`C1: ${isolate.name} went from version ${before.version} to ${snapshot.version}`);
    }
    this.#used.set(isolate, snapshot);
    const inForce = this.#truth.versions.get(snapshot.version);
    if (inForce === undefined) world.breach(`C4: version ${snapshot.version} has never been`);
    else this.#compare(isolate, snapshot, inForce);
  }

  #checkAge(isolate: Isolate, snapshot: Snapshot | null): void {
    const { world } = this.#town;
    const { newest } = this.#truth;
    if (newest === null || world.nowMs - newest.sinceMs <= ageMsMax) return;
    const { manifest } = newest;
    const text = this.#truth.sectionOf(manifest, "config");
    // An isolate that has never been able to compile a document has none.
    if (snapshot === null && (text === undefined || !compilesAt(placeOf(isolate.name), text))) return;
    if ((snapshot?.version ?? 0) >= manifest.version) return;
    world.breach(`C: ${isolate.name} uses version ${snapshot?.version} of ${manifest.version}`);
  }

  #compare(isolate: Isolate, snapshot: Snapshot, { manifest }: InForce): void {
    const { world } = this.#town;
    const truth = this.#truth;
    const place = placeOf(isolate.name);
    const text = truth.sectionOf(manifest, "config");
    const used = texts.get(snapshot.config)!;
    if (truth.texts.get(truth.revisions.get(snapshot.revision) ?? "") !== used) {
      world.breach(`C4: revision ${snapshot.revision} has another document`);
    }
    if (!compilesAt(place, used)) world.breach("C3: a document is in use that does not compile");
    const isOlder = text !== undefined && !compilesAt(place, text);
    if (isOlder ? snapshot.revision >= manifest.revision : snapshot.revision !== manifest.revision) {
      world.breach(
        `C3: revision ${snapshot.revision} is in use in version ${manifest.version} of ${manifest.revision}`,
      );
    }
    this.#compareCanary(place, snapshot, manifest);
    this.#comparePublished(snapshot, manifest);
  }

  #compareCanary(place: number, { canary }: Snapshot, manifest: InForce["manifest"]): void {
    const text = this.#truth.sectionOf(manifest, "canary");
    const isTried = manifest.canary !== undefined && text !== undefined && compilesAt(place, text);
    const expected = isTried ? `${manifest.canary.revision} for ${manifest.canary.percent} %` : "none";
    const found = canary === null ? "none" : `${canary.snapshot.revision} for ${canary.percent} %`;
    if (found !== expected) this.#town.world.breach(`C: canary ${found}, not ${expected}`);
  }

  #comparePublished({ services }: Snapshot, manifest: InForce["manifest"]): void {
    const view = services.get(serviceName);
    if (view === undefined) return;
    const published = this.#truth.sectionOf(manifest, `origins/${serviceName}`);
    const ids = published === undefined ? [] : (JSON.parse(published).origins as { id: string }[]).map(({ id }) => id);
    const listed = new Set(view.config.staticOrigins.map(({ id }) => id));
    const found = view.origins.map(({ id }) => id).filter((id) => !listed.has(id));
    if (found.join() !== ids.join()) this.#town.world.breach(`C4: origins ${found}, not ${ids}`);
    const health = this.#truth.sectionOf(manifest, `health/${serviceName}`);
    const revision = health === undefined ? undefined : JSON.parse(health).revision;
    if (view.health?.revision !== revision) this.#town.world.breach("C4: another view of the health");
  }
}

function compileOnce(
  compile: Compile,
  text: string,
  variables: Readonly<Record<string, unknown>>,
  revision: number,
): CompileResult {
  const known = compiled.get(compile) ?? new Map<string, CompileResult>();
  compiled.set(compile, known);
  const name = `${variables.ORIGIN_URL !== undefined} ${revision} ${text}`;
  let result = known.get(name);
  if (result === undefined) {
    if (known.size >= compiledMax) known.clear();
    result = compile(text, variables, revision);
    known.set(name, result);
    if (result.ok) texts.set(result.config, text);
  }
  return result;
}
