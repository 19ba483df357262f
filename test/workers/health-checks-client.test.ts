import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { superviseChecks } from "../../src/clients/health-checks.ts";
import { digestOf } from "../../src/core/checking/order.ts";
import type { CheckOrder } from "../../src/core/checking/types.ts";
import { compileDocument } from "../../src/snapshot/compile.ts";
import type { ServiceView } from "../../src/snapshot/types.ts";
import { buildSnapshot } from "../../src/snapshot/view.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const origins = [{ id: "a", url: "https://a.example.com", version: "v1" }];

/** The service as an isolate sees it that has compiled it at `revision`, whose registry shows `checks`. */
function viewOf(service: object, checks: string | null, revision = 7): ServiceView {
  const compiled = compileDocument(JSON.stringify({ services: { users: service } }), {}, revision);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues));
  const published = { revision: 1, frozen: false, checks, unhealthy: [], origins: [] };
  return buildSnapshot(1, revision, compiled.config, new Map([["users", published]])).services.get("users")!;
}
const showing = (view: ServiceView, checks: string | null): ServiceView => ({ ...view, checks });

/** Sends what is to be sent; the orders of the calls so far. */
async function supervise(view: ServiceView, times = 1, order = sent): Promise<readonly CheckOrder[]> {
  const ctx = createExecutionContext();
  const registry = { SERVICE_REGISTRY: { getByName: () => ({ order }) } };
  for (let time = 0; time < times; time++) superviseChecks({ ...env, ...registry } as unknown as Env, ctx, view);
  await waitOnExecutionContext(ctx);
  return order.mock.calls.map(([given]) => given);
}
let sent = vi.fn(async (_: CheckOrder) => ({ accepted: true }));
afterEach(() => {
  sent = vi.fn(async (_: CheckOrder) => ({ accepted: true }));
});

describe("a registry that does not show what the document asks for", () => {
  test("is sent the order, once for all the requests of a while", async () => {
    const [order, ...more] = await supervise(viewOf({ origins, healthCheck: {} }, null), 10);
    expect(more).toEqual([]);
    const { revision, digest, ...checks } = order!;
    expect(revision).toBe(7);
    expect(digest).toBe(digestOf(checks));
    expect(checks).toMatchObject({
      settings: { path: "/healthz", intervalMs: 10_000, timeoutMs: 1_000, healthyAfter: 2, unhealthyAfter: 3 },
      staticOrigins: [{ id: "a", url: "https://a.example.com" }],
      returnsEjected: false,
    });
  });

  test("is asked to bring ejected origins back when there is ejection", async () => {
    const [order] = await supervise(viewOf({ healthCheck: {}, outlierDetection: {} }, null));
    expect(order).toMatchObject({ returnsEjected: true });
  });

  test("is told to stop when checks are not asked for any more", async () => {
    const [order] = await supervise(viewOf({ origins }, "what-was-before"));
    expect(order).toMatchObject({ revision: 7, settings: null });
  });

  test("is sent the order again after a pause, as long as it does not show it", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const view = viewOf({ healthCheck: {} }, null);
    expect(await supervise(view)).toHaveLength(1);
    vi.setSystemTime(Date.now() + bounds.checkOrderRetryMs - 1);
    expect(await supervise(view)).toHaveLength(1);
    vi.setSystemTime(Date.now() + 1);
    expect(await supervise(view)).toHaveLength(2);
  });

  test("is sent a new configuration's order at once", async () => {
    await supervise(viewOf({ healthCheck: {} }, null));
    expect(await supervise(viewOf({ healthCheck: { path: "/up" } }, null, 8))).toMatchObject([
      { revision: 7 },
      { revision: 8 },
    ]);
  });

  test("and cannot be reached is no matter of the request's, but of the log's", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await supervise(
      viewOf({ healthCheck: {} }, null),
      1,
      vi.fn(() => Promise.reject(new Error("away"))),
    );
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ service: "users" }));
  });
});

describe("a registry that shows what the document asks for", () => {
  test("is not called, whether that is something or nothing", async () => {
    const view = viewOf({ healthCheck: {} }, null);
    const [order] = await supervise(view);
    // The first confirmation would come within the hour.
    expect(await supervise(showing(view, order!.digest), 10)).toHaveLength(1);
    expect(await supervise(viewOf({ origins }, null), 10)).toHaveLength(1);
  });

  test("is told once in an hour that the order still holds; of no order, never", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const { digest } = (await supervise(viewOf({ healthCheck: {} }, null)))[0]!;
    const [checked, unchecked] = [viewOf({ healthCheck: {} }, digest), viewOf({ origins }, null)];
    const callsAfter = async (ms: number) => {
      vi.setSystemTime(Date.now() + ms);
      await supervise(unchecked);
      return (await supervise(checked, 5)).length;
    };
    expect(await callsAfter(0)).toBe(1);
    expect(await callsAfter(bounds.checkOrderConfirmMs / 2)).toBe(2);
    expect(await callsAfter(bounds.checkOrderConfirmMs - 1)).toBe(2);
    expect(await callsAfter(1)).toBe(3);
  });
});
