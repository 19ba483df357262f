/** Writers and readers of the configuration, each in an isolate, by the real client of the control plane. */
import type { SnapshotStatus } from "../../../src/snapshot/types.ts";
import { configModel } from "../check/config-model.ts";
import { History } from "../check/history.ts";
import { documentOf } from "../documents.ts";
import type { Isolate } from "../fakes/isolate.ts";
import type { Plan, ServiceSetup, Step } from "../plan.ts";
import type { Town } from "../town.ts";
import type { Part } from "./part.ts";

type Answer = { readonly ok: boolean; readonly revision: number } | null;
interface Client {
  applyConfig(env: object, request: object, canary?: number | null): Promise<Answer>;
  endCanary(env: object, request: object): Promise<Answer>;
  currentConfig(env: object): Promise<{ readonly revision: number; readonly text: string } | null>;
}
interface Cache {
  refreshSnapshot(env: object): Promise<void>;
  snapshotStatus(): SnapshotStatus;
}

export function configPart(setup: ServiceSetup, plan: Plan, town: Town): Part {
  const { world } = town;
  const history = new History(town, "CONTROL_PLANE", ["apply", "applyCanary", "endCanary"], ["current", "manifest"]);
  /** The last revision that the writers of an isolate were told. */
  const known = new WeakMap<Isolate, number>();
  const textOf = (note: number) => documentOf(setup, note, plan.config?.withVariable.includes(note) ?? false);
  const requestOf = (isolate: Isolate, note: number, ifRevision: "any" | "known") => ({
    text: textOf(note),
    ifRevision: ifRevision === "any" ? null : (known.get(isolate) ?? 0),
    dryRun: false,
    author: "admin",
    note: null,
  });

  const write = async (isolate: Isolate, step: Step): Promise<void> => {
    const client = isolate.module<Client>("src/clients/control-plane.ts");
    const { env } = isolate;
    let answer: Answer = null;
    if (step.kind === "put") {
      const request = { ...requestOf(isolate, step.note, step.ifRevision), endsCanary: step.endsCanary };
      answer = await client.applyConfig(env, request);
    } else if (step.kind === "try") {
      answer = await client.applyConfig(env, requestOf(isolate, step.note, step.ifRevision), step.percent);
    } else if (step.kind === "end") {
      answer = await client.endCanary(env, { promote: step.promote, ifRevision: null });
    } else if (step.kind === "read") {
      known.set(isolate, (await client.currentConfig(env))?.revision ?? 0);
    } else if (step.kind === "patch") {
      const current = await client.currentConfig(env);
      known.set(isolate, current?.revision ?? 0);
      answer = await client.applyConfig(env, requestOf(isolate, step.note, "known"));
    }
    if (answer === null) return;
    known.set(isolate, answer.revision);
    if (answer.ok && (step.kind === "put" || step.kind === "patch")) await applyHere(isolate, answer.revision);
  };

  /** The isolate that has made a change applies it at once. */
  const applyHere = async (isolate: Isolate, revision: number): Promise<void> => {
    const { refreshSnapshot, snapshotStatus } = isolate.module<Cache>("src/snapshot/cache.ts");
    await refreshSnapshot(isolate.env);
    const used = snapshotStatus().snapshot?.revision ?? 0;
    // Unless what is in force by now does not compile here, and what was before was never seen.
    if (used < revision && plan.config?.withVariable.length === 0) {
      world.breach(`C: an isolate has made revision ${revision} and uses ${used}`);
    }
  };

  return {
    onCall: history.onCall,
    play(step) {
      if (!["put", "patch", "read", "try", "end"].includes(step.kind)) return false;
      const isolate = town.isolates[(step as { place: number }).place]!;
      // Who gets no answer has no answer.
      world.at(world.nowMs, isolate, () => void write(isolate, step).catch(() => {}));
      return true;
    },
    finish() {
      history.check(configModel);
    },
  };
}
