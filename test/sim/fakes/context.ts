/** What the platform gives an object: its storage, and as much of the rest as the product's objects use. */
import type { Instance } from "./object.ts";

/** `ctx` of an instance. */
export function contextOf(instance: Instance, blockConcurrencyWhile: (run: () => Promise<unknown>) => unknown): object {
  const { store, id } = instance.host;
  const guard = <T>(run: () => T): T => {
    if (instance.throws) throw new Error("the object has been replaced");
    return run();
  };
  const exec = (query: string, ...bindings: unknown[]) => {
    const rows = guard(() => store.exec(query, bindings));
    return { toArray: () => rows, one: () => onlyOf(rows), [Symbol.iterator]: () => rows.values() };
  };
  return {
    id: { name: id },
    storage: {
      sql: { exec },
      transactionSync: <T>(run: () => T): T => {
        exec("SAVEPOINT inner_transaction");
        try {
          const result = run();
          exec("RELEASE inner_transaction");
          return result;
        } catch (error) {
          if (!instance.throws) {
            exec("ROLLBACK TO inner_transaction");
            exec("RELEASE inner_transaction");
          }
          throw error;
        }
      },
      getAlarm: async () => store.alarmAtMs,
      // An object that was replaced hears nothing of it: its output gate never opens again.
      setAlarm: async (atMs: number) => (instance.throws ? undefined : store.setAlarm(atMs)),
      deleteAll: async () => guard(() => store.deleteAll()),
    },
    blockConcurrencyWhile,
    setWebSocketAutoResponse: () => {},
    getWebSockets: () => [],
  };
}

function onlyOf<T>(rows: readonly T[]): T {
  if (rows.length !== 1) throw new Error(`expected one row, got ${rows.length}`);
  return rows[0]!;
}

/** Stands for the platform's base class. */
export class Base {
  readonly ctx: object;
  readonly env: object;

  constructor(ctx: object, env: object) {
    this.ctx = ctx;
    this.env = env;
  }
}
