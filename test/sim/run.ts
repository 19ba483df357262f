/** Plays one schedule to its end. */
import { LeaseCheck } from "./check/leases.ts";
import { PlaneTruth } from "./check/plane-truth.ts";
import { SlotCheck } from "./check/slots.ts";
import { SnapshotCheck } from "./check/snapshots.ts";
import { DatabasePool } from "./fakes/database.ts";
import type { Program } from "./load/program.ts";
import { configPart } from "./parts/config.ts";
import { limitsPart } from "./parts/limits.ts";
import type { Part } from "./parts/part.ts";
import { registryPart } from "./parts/registry.ts";
import { trafficPart } from "./parts/traffic.ts";
import type { ObjectName, Plan, Step } from "./plan.ts";
import { Town } from "./town.ts";
import { startMs } from "./world.ts";

export interface Result {
  /** `<invariant>: ...`; none: the schedule held. */
  readonly breaches: readonly string[];
  readonly turns: number;
  /** null: was not asked for. */
  readonly trace: readonly string[] | null;
}

/** A program with databases for its objects: what many schedules have in common. */
export class Simulator {
  readonly #program: Program;
  readonly #pool = new DatabasePool();

  constructor(program: Program) {
    this.#program = program;
  }

  async run(plan: Plan, isTraced = false): Promise<Result> {
    const town = new Town(plan, this.#program, this.#pool, isTraced);
    const { world } = town;
    const parts = partsOf(plan, town);
    for (let place = 0; place < plan.isolates; place++) town.settle(place);
    for (const step of plan.steps) world.at(startMs + step.atMs, null, () => play(step, parts, town));
    world.at(startMs + plan.healAtMs, null, () => heal(town));
    await world.run(startMs + plan.endAtMs);
    if (world.breaches.length === 0) for (const part of parts) part.finish();
    town.close();
    return { breaches: world.breaches, turns: world.turns, trace: world.trace };
  }
}

function partsOf(plan: Plan, town: Town): Part[] {
  const { limits, service, registry } = plan;
  const parts: Part[] = [];
  if (limits) parts.push(limitsPart(limits, town));
  if (service) {
    const truth = new PlaneTruth();
    const snapshots = new SnapshotCheck(plan, town, truth);
    const leases = new LeaseCheck(town, (registry?.ttlSeconds ?? 0) * 1_000);
    town.observers.push(truth, snapshots, leases);
    if (service.maxConcurrentRequests > 0) town.observers.push(new SlotCheck(service.maxConcurrentRequests, town));
    parts.push(trafficPart(service, plan, town, snapshots, leases.endMs), configPart(service, plan, town));
    if (registry) parts.push(registryPart(registry, town, leases, truth));
  }
  town.observers.push(...parts);
  return parts;
}

function play(step: Step, parts: readonly Part[], town: Town): void {
  town.world.note(() => `* ${JSON.stringify(step)}`);
  if (!parts.some((part) => part.play(step))) disturb(step, town);
}

/** What was to go wrong and has not yet does not any more. */
function heal({ hosts, network }: Town): void {
  network.away.clear();
  for (const host of hosts) {
    host.crash = null;
    host.old?.vanish();
  }
}

/** What goes wrong at a time, not by chance. */
function disturb(step: Step, town: Town): void {
  const { world, network } = town;
  const host = "object" in step ? town.host(step.object as ObjectName) : undefined;
  if (step.kind === "kill") town.settle(step.place);
  else if (step.kind === "evict") host!.evict();
  else if (step.kind === "crash") host!.crash = step.when;
  else if (step.kind === "replace") host!.replace(step.livesMs, step.throws);
  else if (step.kind === "away") {
    network.away.add(host!);
    world.at(world.nowMs + step.forMs, null, () => void network.away.delete(host!));
  } else throw new Error(`nobody plays ${step.kind}`);
}
