/** Calls that cross: several under way for one key, answers that come late, objects that come and go. */
import { describe, expect, test } from "vitest";
import { admit } from "../../../../src/core/limiting/admit.ts";
import type { Ask, Decision } from "../../../../src/core/limiting/decision.ts";
import { failed, granted } from "../../../../src/core/limiting/request.ts";
import { type LeaseRequest, newTable } from "../../../../src/core/limiting/table.ts";
import type { WindowSpec } from "../../../../src/core/limiting/types.ts";
import { ask, reply, sliding, t0 } from "./support.ts";

const never = () => 0;

function requestOf(decision: Decision): LeaseRequest {
  if (decision.kind !== "ask") throw new Error(`not asked but ${decision.kind}`);
  return decision.requests[0]!;
}

const again = (...requests: LeaseRequest[]) => ({ requests, away: new Set<string>() });
const alone = { requests: [], away: new Set(["k"]) };

describe("exact calls of one key", () => {
  const one = ask([sliding(10)], { consistency: "exact" });

  test("each serve their own request, in whatever order the answers come", () => {
    const table = newTable("a");
    const requests = [0, 1].map(() => requestOf(admit(table, one, t0)));
    for (const request of [...requests].reverse())
      granted(table, request, reply({ seq: request.query.seq, granted: 1, ttlMs: 0 }), t0 + 10, never);
    expect(requests.map((request) => admit(table, one, t0 + 10, again(request)).kind)).toEqual(["allowed", "allowed"]);
  });

  test("that failed, or were not waited for, are reported as unused", () => {
    const table = newTable("a");
    failed(table, requestOf(admit(table, one, t0)));
    const second = requestOf(admit(table, one, t0 + 10));
    expect(second.query.reports).toEqual([{ seq: 1, used: 0 }]);
    const allow = ask([sliding(10)], { consistency: "exact", onUnavailable: "allow" });
    expect(admit(table, allow, t0 + 20, { ...again(second), away: new Set(["k"]) }).kind).toBe("allowed");
    expect(requestOf(admit(table, one, t0 + 30)).query.reports).toEqual([
      { seq: 1, used: 0 },
      { seq: 2, used: 0 },
    ]);
  });

  test("tell what an answer to an earlier one did not hear yet", () => {
    const table = newTable("a");
    const [first, second] = [0, 1].map(() => requestOf(admit(table, one, t0))) as [LeaseRequest, LeaseRequest];
    failed(table, first);
    granted(table, second, reply({ seq: 2, granted: 1, ttlMs: 0 }), t0 + 10, never);
    expect(requestOf(admit(table, one, t0 + 20)).query.reports).toEqual([{ seq: 1, used: 0 }]);
  });

  test("do not end the call for a lease that is under way beside them", () => {
    const bucket: WindowSpec = { kind: "token-bucket", rate: 100, burst: 100 };
    const [small, large] = [1, 80].map((cost) => ask([bucket], { cost })) as [Ask, Ask];
    const table = newTable("a");
    const lease = requestOf(admit(table, small, t0));
    const exact = requestOf(admit(table, large, t0));
    granted(table, exact, reply({ seq: 2, granted: 80, ttlMs: 0 }), t0 + 10, never);
    expect(requestOf(admit(table, small, t0 + 20))).toBe(lease);
  });
});

test("a grant is no denial: who comes when it is spent asks", () => {
  const table = newTable("a");
  const one = ask([sliding(10)]);
  granted(table, requestOf(admit(table, one, t0)), reply({ granted: 1 }), t0 + 10, never);
  expect([1, 2].map(() => admit(table, one, t0 + 10).kind)).toEqual(["allowed", "ask"]);
});

test("an isolate that has heard of the object since it was away goes on with its share, and no more", () => {
  const table = newTable("a");
  const one = ask([sliding(100)], { onUnavailable: "share" });
  granted(table, requestOf(admit(table, one, t0)), reply({ granted: 1, isolates: 10 }), t0 + 10, never);
  expect(admit(table, one, t0 + 20).kind).toBe("allowed");
  const kinds = [1, 2, 3].map(() => admit(table, one, t0 + 20, alone).kind);
  expect(kinds).toEqual(["allowed", "denied", "denied"]);
});
