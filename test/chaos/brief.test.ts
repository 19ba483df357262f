/** The checks of short leases can fail: each is shown a lease that was planted to be wrong. */
import { expect, it } from "vitest";
import { BriefLeases, overdueMsMax } from "./brief.ts";
import { forgotten, untoldMax, usedOf } from "./limits.ts";

const nowMs = Date.UTC(2026, 0, 1);
const iso = (inMs: number) => new Date(nowMs + inMs).toISOString();
const leaseUntil = (inMs: number) => {
  const leases = new BriefLeases();
  leases.begin("b1");
  leases.acknowledge("b1", iso(inMs));
  return leases;
};

it("a short lease may not be gone or end before what was acknowledged, be longer than it may, or come back", () => {
  expect(leaseUntil(2_000).settle([], nowMs).join()).toMatch(/b1 ended 2000 ms too early/);
  expect(
    leaseUntil(2_000)
      .settle([{ id: "b1", expiresAt: iso(1_000) }], nowMs)
      .join(),
  ).toMatch(/too early/);
  expect(
    leaseUntil(2_000)
      .settle([{ id: "b1", expiresAt: iso(60_000) }], nowMs)
      .join(),
  ).toMatch(/longer/);
  expect(leaseUntil(2_000).settle([{ id: "b1", expiresAt: iso(5_000) }], nowMs)).toEqual([]);
  const gone = leaseUntil(-1_000);
  expect(gone.settle([], nowMs)).toEqual([]);
  expect(gone.settle([{ id: "b1", expiresAt: iso(5_000) }], nowMs).join()).toMatch(/there again/);
});

it("a registration without an answer may be there or not, and is not expected", () => {
  const leases = new BriefLeases();
  leases.begin("b1");
  expect([leases.alive(nowMs), leases.lasting(nowMs)]).toEqual([1, []]);
  expect(leases.settle([], nowMs)).toEqual([]);
  expect(leases.alive(nowMs)).toBe(0);
});

it("an origin that is asked after its lease has ended is seen in its log", () => {
  const asked = (inMs: number) => ({
    ...{ method: "GET", target: "/as/brief/b1/brief", headers: {}, body: Buffer.alloc(0), isGivenUp: false },
    atMs: nowMs + inMs - performance.timeOrigin,
  });
  expect(leaseUntil(2_000).overdueMs({ asked: [asked(1_999)] })).toBe(0);
  expect(leaseUntil(2_000).overdueMs({ asked: [asked(2_001 + overdueMsMax)] })).toBeGreaterThan(overdueMsMax);
  expect(leaseUntil(2_000).lasting(nowMs)).toEqual(["b1"]);
});

it("an approximate limit may be exceeded by what isolates had not told, and by no more", () => {
  const bound = 20 + untoldMax("near", 3);
  expect(bound).toBe(26);
  expect(usedOf("near", Array(bound).fill(0), 3)).toBe(1);
  expect(usedOf("near", Array(bound + 1).fill(0), 3)).toBeGreaterThan(1);
  expect(forgotten("near", "c", { charged: 94, arrived: 100, deaths: 3 })).toBeNull();
  expect(forgotten("near", "c", { charged: 93, arrived: 100, deaths: 3 })).not.toBeNull();
});
