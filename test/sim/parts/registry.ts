/** Registrants, operators and watchers of the service's registry, each in an isolate, by the real client. */
import type { EventsAnswer, RegisterAnswer } from "../../../durable-objects/service-registry-api.ts";
import { replay } from "../../../src/core/leasing/listing.ts";
import type { RegistryEvent } from "../../../src/core/leasing/types.ts";
import { History } from "../check/history.ts";
import type { LeaseCheck } from "../check/leases.ts";
import type { PlaneTruth } from "../check/plane-truth.ts";
import { registryModel } from "../check/registry-model.ts";
import { originUrl, registrantId, serviceName } from "../documents.ts";
import type { Isolate } from "../fakes/isolate.ts";
import type { RegistrySetup, Step } from "../plan.ts";
import type { Town } from "../town.ts";
import type { Part } from "./part.ts";

interface Client {
  registerOrigin(env: object, service: string, request: object): Promise<RegisterAnswer>;
  renewLeases(env: object, service: string, leases: readonly object[]): Promise<unknown>;
  drainOrigin(env: object, service: string, origin: string, graceSeconds: number): Promise<unknown>;
  deregisterOrigin(env: object, service: string, origin: string): Promise<unknown>;
  listOrigins(env: object, service: string): Promise<unknown>;
}

const kinds = ["register", "heartbeat", "drain", "deregister", "list", "events"];

export function registryPart(setup: RegistrySetup, town: Town, leases: LeaseCheck, truth: PlaneTruth): Part {
  const { world } = town;
  const history = new History(town, "SERVICE_REGISTRY", ["register", "drain", "deregister"], ["heartbeat", "list"]);
  const host = () => town.host(`SERVICE_REGISTRY/${serviceName}`);
  /** What registrants were told of their origins: the last revision. */
  const known = new Map<string, number>();
  const watcher = { revision: 0, events: [] as RegistryEvent[] };

  const register = async (isolate: Isolate, id: string, ifRevision: "any" | "none" | "known"): Promise<void> => {
    const { registerOrigin } = isolate.module<Client>("src/clients/service-registry.ts");
    const answer = await registerOrigin(isolate.env, serviceName, {
      origin: id,
      url: originUrl(id),
      version: null,
      weight: 1,
      zone: null,
      metadata: {},
      ttlMs: setup.ttlSeconds * 1_000,
      ...(ifRevision !== "any" && { ifRevision: ifRevision === "none" ? 0 : (known.get(id) ?? 0) }),
    });
    if ("revision" in answer) known.set(id, answer.revision);
  };

  const watch = async (isolate: Isolate): Promise<void> => {
    const { revision: fromRevision } = watcher;
    const request = { fromRevision, limit: 50 };
    const answer = (await town.network.call(isolate, host(), "events", [request])) as EventsAnswer;
    // Another watch may have been answered meanwhile; an answer of an object that was replaced may lag behind.
    if (!answer.ok) return void (answer.revision > fromRevision && world.breach("R3: compacted too early"));
    for (const event of answer.events) {
      if (event.revision <= watcher.revision) continue;
      if (event.revision !== watcher.revision + 1) world.breach(`R3: ${event.revision} follows ${watcher.revision}`);
      watcher.revision = event.revision;
      watcher.events.push(event);
    }
  };

  const call = async (isolate: Isolate, step: Step): Promise<void> => {
    const client = isolate.module<Client>("src/clients/service-registry.ts");
    const { env } = isolate;
    if (step.kind === "register") {
      await Promise.all(step.origins.map((at) => register(isolate, registrantId(at), step.ifRevision)));
    } else if (step.kind === "heartbeat") {
      const held = step.origins.map(registrantId).map((origin) => {
        return { origin, leaseId: (step.isVoid ? undefined : leases.leaseOf(origin)) ?? leases.voidLease() };
      });
      await client.renewLeases(env, serviceName, held);
    } else if (step.kind === "drain") {
      await client.drainOrigin(env, serviceName, registrantId(step.origin), step.graceSeconds);
    } else if (step.kind === "deregister") {
      await client.deregisterOrigin(env, serviceName, registrantId(step.origin));
    } else if (step.kind === "events") await watch(isolate);
    else await client.listOrigins(env, serviceName);
  };

  return {
    onCall: history.onCall,
    play(step) {
      if (!kinds.includes(step.kind)) return false;
      const isolate = town.isolates[(step as { place: number }).place]!;
      world.at(world.nowMs, isolate, () => void call(isolate, step).catch(() => {}));
      return true;
    },
    finish() {
      if (setup.isTimeless) history.check(registryModel);
      const registry = host().awake();
      const listing = registry.ask<{ revision: number; frozen: boolean; origins: { id: string; state: string }[] }>(
        "list",
      );
      const all = registry.ask<EventsAnswer>("events", { fromRevision: 0, limit: 1_000 });
      if (!all.ok) return void world.breach("R3: compacted too early");
      const gap = all.events.findIndex(({ revision }, at) => revision !== at + 1);
      if (gap >= 0 || all.events.length !== listing.revision) world.breach(`R1: revision ${gap + 1} is missing`);
      const seen = watcher.events.some((event, at) => JSON.stringify(event) !== JSON.stringify(all.events[at]));
      if (seen) world.breach("R3: a watcher saw what has not happened");
      const replayed = replay(all.events);
      const shown = (origins: readonly { id: string; state: string }[]) =>
        origins.map(({ id, state }) => `${id} ${state}`).join();
      if (shown(replayed.origins) !== shown(listing.origins) || replayed.frozen !== listing.frozen) {
        world.breach(`R1: the events give ${shown(replayed.origins)}, the list ${shown(listing.origins)}`);
      }
      const plane = town.host("CONTROL_PLANE/control-plane").awake();
      const section = truth.sectionOf(plane.ask("manifest", -1), `origins/${serviceName}`);
      const published = section === undefined ? 0 : JSON.parse(section).revision;
      if (published !== listing.revision) world.breach(`R: revision ${published} of ${listing.revision} is published`);
    },
  };
}
