/** Configuration of workerd as text (Cap'n Proto), for Workers that listen on loopback and may fetch from anywhere. */

/** A Worker of one module. */
export interface Part {
  readonly name: string;
  /** File of the module, beside the configuration. */
  readonly file: string;
  /** Values by name, as `textValue`, `jsonValue` and `objectsOf` write them. */
  readonly bindings: Readonly<Record<string, string>>;
  /** Classes of its objects, all with SQLite. */
  readonly classes: readonly string[];
  /** Whether it has a socket, named as it is. */
  readonly listens: boolean;
}

export interface Runtime {
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  /** Directory where objects are stored. */
  readonly disk: string;
}

/** Name of the Worker behind `caches`. */
export const cachePart = "cache";

// The escapes of JSON are those of Cap'n Proto, as long as the text is ASCII.
const quoted = (text: string) => JSON.stringify(text);
const list = (items: readonly string[]) => `[${items.join(", ")}]`;

export const textValue = (value: string) => `text = ${quoted(value)}`;
export const jsonValue = (value: unknown) => `json = ${quoted(JSON.stringify(value))}`;
/** Objects of a class; `owner` is the Worker that has it. */
export const objectsOf = (className: string, owner: string) =>
  `durableObjectNamespace = (className = ${quoted(className)}, serviceName = ${quoted(owner)})`;

/** The whole configuration; the constant is `config`. One part has to be the cache's. */
export function capnpOf(parts: readonly Part[], runtime: Runtime): string {
  const listening = parts.filter(({ listens }) => listens);
  const sockets = listening.map(
    ({ name }) => `(name = ${quoted(name)}, address = "127.0.0.1:0", http = (), service = ${quoted(name)})`,
  );
  const services = [
    ...parts.map((part) => `(name = ${quoted(part.name)}, worker = ${workerOf(part, runtime)})`),
    `(name = "internet", network = (allow = ["public", "private"]))`,
    `(name = "disk", disk = (path = ${quoted(runtime.disk)}, writable = true))`,
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")}
  ],
  sockets = ${list(sockets)}
);
`;
}

function workerOf({ name, file, bindings, classes }: Part, runtime: Runtime): string {
  const named = Object.entries(bindings).map(([key, value]) => `(name = ${quoted(key)}, ${value})`);
  const namespaces = classes.map(
    (className) =>
      `(className = ${quoted(className)}, uniqueKey = ${quoted(`${name}-${className}`)}, enableSql = true)`,
  );
  const members = [
    `modules = [(name = ${quoted(file)}, esModule = embed ${quoted(file)})]`,
    `compatibilityDate = ${quoted(runtime.compatibilityDate)}`,
    `compatibilityFlags = ${list(runtime.compatibilityFlags.map(quoted))}`,
    `bindings = ${list(named)}`,
    ...(name === cachePart ? [] : [`cacheApiOutbound = ${quoted(cachePart)}`]),
    ...(classes.length > 0
      ? [`durableObjectNamespaces = ${list(namespaces)}`, `durableObjectStorage = (localDisk = "disk")`]
      : []),
  ];
  return `(${members.join(", ")})`;
}
