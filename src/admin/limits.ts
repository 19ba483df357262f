/** `/v1/limits`: what a key has used of a rate limit, and how to forget it. */

import type * as z from "zod";
import { limitKeyOf } from "../clients/limit-key.ts";
import { peekLimit, resetLimit } from "../clients/rate-limiter.ts";
import { keyText } from "../core/keys/key-text.ts";
import { parseKeySource } from "../core/keys/keys.ts";
import { type Peek, shownWindows } from "../core/limiting/peek.ts";
import { GatewayError } from "../errors.ts";
import type * as api from "../schema/api.ts";
import type { AdminApp } from "./app.ts";
import type { SnapshotSource } from "./context.ts";
import { declaredLimit } from "./declared.ts";
import * as calls from "./limits-calls.ts";

/** Adds the calls to the admin app. */
export function mountLimits(app: AdminApp, snapshots: SnapshotSource): void {
  app.add(calls.getLimit, async (c) => {
    const { limit, key } = await checked(snapshots, c.env, c.req.valid("param"));
    const peeked = await peekLimit(c.env, await limitKeyOf(limit, key));
    return c.json(answerOf(limit, key, peeked), 200);
  });
  app.add(calls.deleteLimit, async (c) => {
    const { limit, key } = await checked(snapshots, c.env, c.req.valid("param"));
    await resetLimit(c.env, await limitKeyOf(limit, key));
    return c.body(null, 204);
  });
}

/** The limit and the key as requests name them. Throws `limit_unknown` or `invalid_request`. */
async function checked(snapshots: SnapshotSource, env: Env, { limit, key }: { limit: string; key: string }) {
  await declaredLimit(snapshots, env, limit);
  return { limit, key: normalKey(key) };
}

/** Header names in lower case and IPv6 addresses as their /64, as in the keys of requests. */
function normalKey(text: string): string {
  if (text === "global" || text === "shared") return text;
  const equals = text.indexOf("=");
  const source = parseKeySource(text.slice(0, Math.max(equals, 0)));
  const value = text.slice(equals + 1);
  if (source !== null && source.kind !== "global" && value !== "") return keyText(source, value);
  throw new GatewayError("invalid_request", {
    detail: "The key must be <source>=<value>, as in header:x-client-id=gold-1 or ip=192.0.2.7, or global or shared.",
  });
}

function answerOf(
  limit: string,
  key: string,
  { policyVersion, windows, leases }: Peek,
): z.output<typeof api.LimitAnswer> {
  return {
    limit,
    key,
    policyVersion: policyVersion < 0 ? null : policyVersion,
    windows: shownWindows({ windows }),
    leases: leases.map(({ isolate, amount, untilMs }) => ({
      isolate,
      permits: amount,
      expiresAt: new Date(untilMs).toISOString(),
    })),
  };
}
