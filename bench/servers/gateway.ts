/** The gateway as it is deployed, on workerd, with a configuration. */
import { setTimeout as sleep } from "node:timers/promises";
import { buildGateway, buildWorker, settings } from "./build.ts";
import { jsonValue, objectsOf, textValue } from "./capnp.ts";
import { type Emulator, type Program, prepareWorkerd, type Workerd } from "./workerd.ts";

const token = "bench";
/** Time for the isolate to use a configuration that was accepted. */
const followMsMax = 30_000;

const name = "gateway";
const declared: readonly { readonly name: string; readonly class_name: string }[] = settings.durable_objects.bindings;
const objects = declared.map((binding) => ({ binding: binding.name, className: binding.class_name }));

export interface Gateway {
  readonly workerd: Workerd;
  readonly url: string;
  /** A call of the admin API that has to succeed; its answer. */
  admin<T>(method: "GET" | "PUT" | "POST", path: string, body?: unknown): Promise<T>;
}

/** Starts one with `config` in force. `counting`: the Worker that counts; `driver`: a second Worker that calls its objects. */
export async function startGateway(
  config: unknown,
  options: { counting?: boolean; driver?: boolean; under?: Emulator } = {},
): Promise<Gateway> {
  const gateway = await launch(await prepareGateway(options));
  await apply(gateway, config);
  return gateway;
}

/** Prepares processes that share their stored objects. */
export async function prepareGateway({
  counting = false,
  driver = false,
  under = [],
}: Parameters<typeof startGateway>[1] = {}): Promise<() => Promise<Workerd>> {
  const { path } = counting ? await buildWorker("counting") : await buildGateway();
  const bindings = Object.fromEntries(objects.map(({ binding, className }) => [binding, objectsOf(className, name)]));
  const secrets = ["ADMIN_TOKEN", "REGISTRAR_TOKEN"].map(
    (secret) => [secret, textValue(`${secret}-${token}`)] as const,
  );
  const version = settings.version_metadata?.binding;
  const program: Program = {
    name,
    path,
    bindings: {
      ...bindings,
      ...Object.fromEntries(secrets),
      ALLOW_PRIVATE_ORIGINS: textValue("true"),
      ...(version !== undefined && {
        [version]: jsonValue({ id: "bench", tag: "", timestamp: new Date(0).toISOString() }),
      }),
    },
    classes: objects.map(({ className }) => className),
    listens: true,
  };
  if (!driver) return prepareWorkerd([program], under);
  const { path: driverPath } = await buildWorker("driver");
  return prepareWorkerd([program, { name: "driver", path: driverPath, bindings, classes: [], listens: true }], under);
}

/** Starts a process of what was prepared; the configuration is what is stored. */
export async function launch(start: () => Promise<Workerd>): Promise<Gateway> {
  const workerd = await start();
  const url = workerd.url(name);
  return {
    workerd,
    url,
    async admin<T>(method: string, path: string, body?: unknown) {
      const response = await fetch(`${url}/_sluice${path}`, {
        method,
        headers: { authorization: `Bearer ADMIN_TOKEN-${token}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text) as T;
    },
  };
}

/** Makes `config` the one in force and waits until the isolate uses it. */
export async function apply({ admin }: Gateway, config: unknown): Promise<void> {
  const { revision } = await admin<{ revision: number }>("PUT", "/v1/config", config);
  const deadline = Date.now() + followMsMax;
  while (Date.now() < deadline) {
    const { configRevision } = await admin<{ configRevision: number }>("GET", "/health");
    if (configRevision >= revision) return;
    await sleep(50);
  }
  throw new Error(`the gateway does not follow revision ${revision}`);
}
