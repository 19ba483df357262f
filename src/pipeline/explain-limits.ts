/** Part of `explain.ts`: the limits of a route, of which nothing is taken. */
import { peekLimit } from "../clients/rate-limiter.ts";
import type { RequestFacts } from "../core/facts.ts";
import { type Peek, shownWindows } from "../core/limiting/peek.ts";
import { quotaOf } from "../core/limiting/policy.ts";
import { GatewayError } from "../errors.ts";
import type { CompiledLimit, Route } from "../snapshot/types.ts";
import { type Applied, applyLimit } from "./limit.ts";

/** A limit that the request is subject to. */
export interface ExplainedLimit {
  readonly limit: string;
  /** As in `/v1/limits/{limit}/{key}`; null: the request has none, and is refused for it. */
  readonly key: string | null;
  readonly mode: CompiledLimit["mode"];
  readonly cost: number;
  /** By what is free at the key's object; null: it did not answer. An isolate that holds a lease may still admit. */
  readonly allowed: boolean | null;
  /** null: the object did not answer. Empty: nobody has used the key yet. */
  readonly windows: ReturnType<typeof shownWindows> | null;
  /** Permits that isolates have leased and may spend. */
  readonly leased: number;
}

/** Looks at the key of every limit, all at once: a route has no more than the platform lets wait. */
export function explainLimits(
  { limits, name }: Route,
  facts: RequestFacts,
  params: Readonly<Record<string, string>>,
  env: Env,
): Promise<ExplainedLimit[]> {
  return Promise.all(
    limits.map(async (limit) => {
      const applied = await applyLimit(limit, facts, { params, route: name });
      const base = { limit: limit.name, mode: limit.mode };
      if (applied === null) return { ...base, key: null, cost: limit.cost, allowed: false, windows: null, leased: 0 };
      const peeked = await peekOf(env, applied.ask.key);
      return {
        ...{ ...base, key: applied.key, cost: applied.ask.cost, allowed: peeked && isFree(applied, peeked) },
        windows: peeked && shownWindows(peeked),
        leased: peeked?.leases.reduce((sum, { amount }) => sum + amount, 0) ?? 0,
      };
    }),
  );
}

async function peekOf(env: Env, key: string): Promise<Peek | null> {
  try {
    return await peekLimit(env, key);
  } catch (error) {
    if (error instanceof GatewayError) return null;
    throw error;
  }
}

/** The object knows a policy only since the key's first use; until then all of it is free. */
function isFree({ ask: { cost, policy } }: Applied, { windows }: Peek): boolean {
  const free = windows.length === 0 ? policy.windows.map(quotaOf) : windows.map((window) => window.free);
  return cost <= policy.costMax && free.every((permits) => cost <= permits);
}
