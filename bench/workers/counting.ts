/**
 * The gateway, with every call of an object, every row written and every alarm counted. `GET /bench/counts` answers what was
 * counted since the start. Calls from objects to objects count too.
 */
import * as gateway from "../../src/index.ts";
import type { Counts } from "../figures/counts.ts";

const counts: Counts = { calls: {}, rows: 0, alarms: 0, callSeconds: 0 };

// biome-ignore lint/suspicious/noExplicitAny: a mixin has to take whatever the class takes.
type ObjectClass = new (...args: any[]) => object;

function counted<T extends ObjectClass>(base: T): T {
  return class extends base {
    // biome-ignore lint/suspicious/noExplicitAny: a mixin's constructor has to look like this.
    constructor(...args: any[]) {
      const [ctx, env] = args as [DurableObjectState, Env];
      countRows(ctx.storage);
      super(ctx, countingEnv(env));
    }

    alarm() {
      counts.alarms++;
      return (base.prototype as { alarm?(): unknown }).alarm?.call(this);
    }
  };
}

function countRows(storage: DurableObjectStorage): void {
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  const setAlarm = storage.setAlarm.bind(storage);
  sql.exec = (query, ...bindings) => {
    const cursor = exec(query, ...bindings);
    counts.rows += cursor.rowsWritten;
    return cursor as never;
  };
  storage.setAlarm = (...args: Parameters<typeof setAlarm>) => {
    counts.rows++;
    return setAlarm(...args);
  };
}

const wrapped = new WeakMap<Env, Env>();

function countingEnv(env: Env): Env {
  const known = wrapped.get(env);
  if (known) return known;
  const counting = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, isNamespace(value) ? countingNamespace(name, value) : value]),
  ) as unknown as Env;
  wrapped.set(env, counting);
  return counting;
}

const isNamespace = (value: unknown): value is DurableObjectNamespace =>
  typeof value === "object" && value !== null && "getByName" in value;

function countingNamespace(name: string, namespace: DurableObjectNamespace): DurableObjectNamespace {
  return new Proxy(namespace, {
    get(target, property) {
      const method = Reflect.get(target, property, target) as (...args: unknown[]) => unknown;
      if (property !== "get" && property !== "getByName") return method.bind(target);
      return (...args: unknown[]) => countingStub(name, method.apply(target, args) as object);
    },
  });
}

function countingStub(name: string, stub: object): object {
  return new Proxy(stub, {
    get(target, property) {
      const method = Reflect.get(target, property, target) as (...args: unknown[]) => Promise<unknown>;
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        counts.calls[name] = (counts.calls[name] ?? 0) + 1;
        const startMs = performance.now();
        try {
          return await Reflect.apply(method, target, args);
        } finally {
          counts.callSeconds += (performance.now() - startMs) / 1_000;
        }
      };
    },
  });
}

export const ControlPlane = counted(gateway.ControlPlane);
export const RateLimiter = counted(gateway.RateLimiter);
export const ServiceHealth = counted(gateway.ServiceHealth);
export const ServiceRegistry = counted(gateway.ServiceRegistry);

export default {
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/bench/counts") return Response.json(counts);
    return gateway.default.fetch(request, countingEnv(env), ctx);
  },
} satisfies ExportedHandler<Env>;
