/** The product's modules: those without state once, the others anew for each isolate and each start of an object. */
import { compileModule, type Exports, globalNames, type Module, sourceOf } from "./module.ts";

/** A text of one file put in the place of another, once. */
export interface Patch {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/** Stands between a module and who imports it: to observe, not to alter. Returns what is seen in place of the module. */
export type Taps = Readonly<Record<string, (real: never) => object>>;

/** Globals by name; see `globalNames`. */
export type Globals = Readonly<Record<(typeof globalNames)[number], unknown>>;

/** Entries of the part of the product that runs here. */
const entries = [
  "durable-objects/control-plane.ts",
  "durable-objects/rate-limiter.ts",
  "durable-objects/service-health.ts",
  "durable-objects/service-registry.ts",
  "src/clients/control-plane.ts",
  "src/clients/health.ts",
  "src/clients/health-checks.ts",
  "src/clients/limiter.ts",
  "src/clients/service-registry.ts",
  "src/snapshot/cache.ts",
];

/** Modules that keep nothing and ask neither clock nor chance nor network: one of each serves all. */
const isShared = (path: string): boolean =>
  /^src\/(core|schema)\/|^src\/(bounds|errors)\.ts$|^src\/snapshot\/(?!cache\.ts$)/.test(path);

const compiled = new Map<string, Module>();

export class Program {
  readonly #modules: ReadonlyMap<string, Module>;
  readonly #shared = new Map<string, Exports>();

  private constructor(modules: ReadonlyMap<string, Module>, packages: ReadonlyMap<string, Exports>) {
    this.#modules = modules;
    for (const [name, exports] of packages) this.#shared.set(name, exports);
  }

  /** Loads the product with `patches` made to it. Throws when one fits nowhere, or in more than one place. */
  static async load(patches: readonly Patch[] = []): Promise<Program> {
    const modules = new Map<string, Module>();
    const packages = new Map<string, Exports>();
    const open = [...entries];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (modules.has(path) || packages.has(path) || path === "cloudflare:workers") continue;
      if (!path.endsWith(".ts") || !/^(src|durable-objects)\//.test(path)) {
        packages.set(path, (await import(path)) as Exports);
        continue;
      }
      const module = moduleOf(path, patches);
      modules.set(path, module);
      open.push(...module.imports);
    }
    const lost = patches.find(({ path }) => !modules.has(path));
    if (lost) throw new Error(`no module ${lost.path}`);
    return new Program(modules, packages);
  }

  /** Modules with a state and a world of their own. `taps` by path see what their importers in here would. */
  realm(globals: Globals, workers: Exports, taps: Taps): (path: string) => Exports {
    const values = globalNames.map((name) => globals[name]);
    const own = new Map<string, Exports>();
    const require = (path: string): Exports => {
      const known = own.get(path);
      if (known !== undefined) return known;
      let exports: Exports;
      if (path === "cloudflare:workers") exports = workers;
      else if (isShared(path) || this.#shared.has(path)) exports = this.shared(path);
      else exports = this.#moduleAt(path).instantiate(require, ...values);
      const tap = taps[path];
      if (tap !== undefined) exports = { ...exports, ...tap(exports as never) };
      own.set(path, exports);
      return exports;
    };
    return require;
  }

  /** A module without state. */
  readonly shared = (path: string): Exports => {
    let exports = this.#shared.get(path);
    if (exports === undefined) {
      exports = this.#moduleAt(path).instantiate(this.shared, ...pureGlobals);
      this.#shared.set(path, exports);
    }
    return exports;
  };

  #moduleAt(path: string): Module {
    const module = this.#modules.get(path);
    if (module === undefined) throw new Error(`${path} is not part of the program`);
    return module;
  }
}

/** What pure modules may use; the rest is missing, so that a breach of the rule is seen. */
const pureGlobals = globalNames.map((name) => (name === "Date" || name === "Math" ? globalThis[name] : undefined));

function moduleOf(path: string, patches: readonly Patch[]): Module {
  const own = patches.filter((patch) => patch.path === path);
  if (own.length > 0) return compileModule(path, own.reduce(patched, sourceOf(path)));
  let module = compiled.get(path);
  if (module === undefined) {
    module = compileModule(path, sourceOf(path));
    compiled.set(path, module);
  }
  return module;
}

function patched(source: string, { path, from, to }: Patch): string {
  if (source.split(from).length !== 2) throw new Error(`${path} does not have exactly once: ${from}`);
  return source.replace(from, () => to);
}
