/** `admitAll`: permits in hand, many keys, denials. */
import { admitAll } from "../../../src/core/limiting/admit.ts";
import { type Ask, type Decision, isExact } from "../../../src/core/limiting/decision.ts";
import { policyOf } from "../../../src/core/limiting/policy.ts";
import { granted } from "../../../src/core/limiting/request.ts";
import { newTable, type Table } from "../../../src/core/limiting/table.ts";
import type { WindowSpec } from "../../../src/core/limiting/types.ts";
import type { Case } from "../measure.ts";

const nowMs = 1_700_000_000_000;
const plenty = 1_000_000_000;
const windows: readonly WindowSpec[] = [{ kind: "sliding-window", limit: plenty, windowMs: 60_000 }];
const policy = policyOf({ windows, consistency: "leased", onUnavailable: "share", version: 1 });
const askFor = (key: string): Ask => ({ key, cost: 1, policy });

/** Answers the calls that a decision asks for. */
function answer(table: Table, decision: Decision, permits: number): void {
  if (decision.kind !== "ask") return;
  const reply = { ttlMs: 3_000, delayMs: 0, window: 0, resetMs: 1_000, isolates: 1 };
  const denial = permits > 0 ? { retryAfterMs: 0, denyMs: 0 } : { retryAfterMs: 9_000, denyMs: 9_000 };
  for (const request of decision.requests) {
    const { seq } = request.query;
    granted(table, request, { ...reply, ...denial, seq, granted: permits, free: permits }, nowMs, Math.random);
  }
}

function tableOf(asks: readonly Ask[], permits: number): Table {
  const table = newTable("bench");
  for (const ask of asks) answer(table, admitAll(table, [ask], nowMs), permits);
  return table;
}

function admitCase(name: string, sets: readonly (readonly Ask[])[], permits: number): Case {
  const table = tableOf(sets.flat(), permits);
  const at = (index: number) => sets[(index * 7919) % sets.length]!;
  const kind = admitAll(table, at(0), nowMs).kind;
  if (kind !== (permits > 0 ? "allowed" : "denied") || at(0).some(isExact)) throw new Error(`${name}: ${kind}`);
  return { name: `admit ${name}`, run: (index) => admitAll(table, at(index), nowMs) };
}

export function limiting(): Case[] {
  // Fewer than half of what the table keeps: none of them is forgotten.
  const many = Array.from({ length: 10_000 }, (_, n) => [askFor(`per-client|ip=203.0.${n >> 8}.${n & 255}`)]);
  return [
    admitCase("one hot key", [[askFor("global")]], plenty),
    admitCase("10000 keys", many, plenty),
    admitCase("two limits", [[askFor("global"), askFor("per-client|ip=203.0.113.7")]], plenty),
    admitCase("denied", [[askFor("global")]], 0),
    newKeys(),
  ];
}

/** 40,000 keys by turns: more than the table keeps, so that each is new when it comes. */
function newKeys(): Case {
  const table = newTable("bench");
  const asks = Array.from({ length: 40_000 }, (_, n) => [askFor(`per-client|ip=203.0.${n >> 8}.${n & 255}`)]);
  return { name: "admit 40000 keys, none in hand", run: (index) => admitAll(table, asks[index % asks.length]!, nowMs) };
}
