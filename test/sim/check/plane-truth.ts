/** What the control plane has truly had in force, version by version. */
import { hash } from "node:crypto";
import type { Call } from "../fakes/network.ts";
import type { Instance } from "../fakes/object.ts";
import type { Observer } from "../town.ts";

export interface Manifest {
  readonly version: number;
  readonly revision: number;
  readonly canary?: { readonly revision: number; readonly percent: number };
  readonly sections: Readonly<Record<string, string>>;
}

/** A manifest, and since when there is it. */
export interface InForce {
  readonly manifest: Manifest;
  readonly sinceMs: number;
}

export class PlaneTruth implements Observer {
  /** By version. */
  readonly versions = new Map<number, InForce>();
  /** Texts that anybody has sent, by hash. */
  readonly texts = new Map<string, string>();
  /** Hashes of documents by revision. */
  readonly revisions = new Map<number, string>();
  newest: InForce | null = null;

  readonly onCall = ({ host, method, args }: Call): void => {
    if (host.binding !== "CONTROL_PLANE") return;
    const { text, body } = (args[0] ?? {}) as { readonly text?: string; readonly body?: string };
    if (method === "apply" || method === "applyCanary") this.#keep(text!);
    else if (method === "publish") this.#keep(body!);
  };

  readonly onTurn = (instance: Instance, hasWritten: boolean): (() => void) | undefined => {
    if (instance.host.binding !== "CONTROL_PLANE" || !hasWritten || instance.isReplaced) return undefined;
    const manifest = instance.ask<Manifest>("manifest", -1);
    return () => this.#inForce({ manifest, sinceMs: instance.host.common.world.nowMs });
  };

  /** The text of a section; undefined: there is no such section. */
  sectionOf({ sections }: Manifest, name: string): string | undefined {
    const hash = sections[name];
    return hash === undefined ? undefined : this.texts.get(hash);
  }

  #inForce(newest: InForce): void {
    const { manifest } = newest;
    this.newest = newest;
    this.versions.set(manifest.version, newest);
    const { config, canary } = manifest.sections;
    if (config !== undefined) this.revisions.set(manifest.revision, config);
    if (canary !== undefined) this.revisions.set(manifest.canary!.revision, canary);
  }

  #keep(text: string): void {
    this.texts.set(hash("sha256", text), text);
  }
}
