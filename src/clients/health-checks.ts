/**
 * Sees to it that a service's registry makes the checks that the document asks for. The registry shows by a digest what it
 * works by, so an isolate that agrees with it says nothing, but for a confirmation once in an hour.
 */
import { bounds } from "../bounds.ts";
import { digestInForce, digestOf } from "../core/checking/order.ts";
import type { CheckOrder } from "../core/checking/types.ts";
import type { CompiledService, ServiceView } from "../snapshot/types.ts";
import { orderChecks } from "./service-registry.ts";

/** What this isolate wants of one compiled service, and when it may say so again. */
interface Supervision {
  readonly order: CheckOrder;
  /** What the registry shows when it does it. */
  readonly digest: string | null;
  retryAtMs: number;
  confirmAtMs: number;
}

/** By compiled service: gone with the configuration, so that a new one is sent at once. */
const supervisions = new WeakMap<CompiledService, Supervision>();

/** Compares, and sends the registry its order in `waitUntil` if need be. Cheap; to be called with every request. Never throws. */
export function superviseChecks(env: Env, ctx: ExecutionContext, { config, checks }: ServiceView): void {
  const known = supervisions.get(config) ?? supervisionOf(config);
  const nowMs = Date.now();
  if (nowMs < (known.digest === checks ? known.confirmAtMs : known.retryAtMs)) return;
  known.retryAtMs = nowMs + bounds.checkOrderRetryMs;
  known.confirmAtMs = known.digest === null ? Number.POSITIVE_INFINITY : nowMs + bounds.checkOrderConfirmMs;
  ctx.waitUntil(
    orderChecks(env, config.name, known.order).catch((error: unknown) => {
      console.warn({ message: "checks were not ordered", service: config.name, error: String(error) });
    }),
  );
}

function supervisionOf(config: CompiledService): Supervision {
  const { check: settings, health, staticOrigins } = config;
  const checks = {
    settings,
    staticOrigins: staticOrigins.map(({ id, url }) => ({ id, url })),
    returnsEjected: health.outlier !== null,
  };
  const order: CheckOrder = { revision: health.revision, digest: digestOf(checks), ...checks };
  const digest = digestInForce(order);
  // At random within the hour: many isolates share the confirming, and those that live for minutes take part.
  const confirmAtMs = Date.now() + bounds.checkOrderConfirmMs * Math.random();
  const supervision = {
    order,
    digest,
    retryAtMs: 0,
    confirmAtMs: digest === null ? Number.POSITIVE_INFINITY : confirmAtMs,
  };
  supervisions.set(config, supervision);
  return supervision;
}
