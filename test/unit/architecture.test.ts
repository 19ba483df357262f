/** The import table of docs/architecture.md, kept mechanically. A line of it that is not here is forbidden. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = new URL("../..", import.meta.url).pathname;

/** A room: its files, what of the project it may import (by prefix), and which packages. */
interface Room {
  readonly files: RegExp;
  readonly imports: readonly string[];
  /** Imports of types only, beside `imports`. */
  readonly types?: readonly string[];
  /** `node:` stands for all of Node. */
  readonly packages?: readonly string[];
}

const basics = ["src/bounds.ts", "src/errors.ts", "src/within.ts"];
const arrival = ["src/header-section.ts", "src/target.ts"];
const types = ["src/snapshot/types.ts", "src/core/"];
const upkeep = "durable-objects/upkeep.ts";
const watchers = "durable-objects/watchers.ts";

const rooms: readonly Room[] = [
  { files: /^src\/bounds\.ts$/, imports: [] },
  { files: /^src\/errors\.ts$/, imports: [] },
  { files: /^src\/digest\.ts$/, imports: [] },
  { files: /^src\/within\.ts$/, imports: [] },
  { files: /^src\/respond\.ts$/, imports: ["src/errors.ts"] },
  { files: /^src\/header-section\.ts$/, imports: [] },
  { files: /^src\/target\.ts$/, imports: ["src/bounds.ts", "src/core/make-room.ts", "src/core/routing/host.ts"] },
  { files: /^src\/core\//, imports: ["src/core/", "src/bounds.ts"] },
  { files: /^src\/schema\//, imports: ["src/schema/", "src/bounds.ts"], packages: ["zod", "ipaddr.js"] },
  {
    files: /^src\/snapshot\/cache\.ts$/,
    imports: [
      "src/clients/control-plane.ts",
      "src/clients/location-cache.ts",
      "src/snapshot/",
      "src/digest.ts",
      ...basics,
    ],
    types: ["src/core/"],
  },
  {
    files: /^src\/snapshot\/(?!cache)/,
    imports: ["src/snapshot/", "src/core/", "src/schema/", ...basics],
    packages: ["ipaddr.js"],
  },
  {
    files: /^src\/clients\//,
    // One file an object; what an isolate keeps beside it is built on that.
    imports: [
      "src/clients/call.ts",
      "src/clients/control-plane.ts",
      "src/clients/rate-limiter.ts",
      "src/clients/service-health.ts",
      "src/clients/service-registry.ts",
      "src/core/",
      "src/digest.ts",
      ...basics,
    ],
    types,
  },
  {
    files: /^src\/upstream\//,
    imports: ["src/upstream/", "src/core/", "src/header-section.ts", ...basics],
    types,
  },
  {
    // The conductors: a request, what its service or the fallback answers, one service asked with all its tries, and what would
    // become of a request, in parts.
    files: /^src\/pipeline\/(index|serve|exchange|explain(-\w+)?)\.ts$/,
    imports: [
      "src/pipeline/",
      "src/snapshot/cache.ts",
      "src/core/",
      "src/clients/",
      "src/upstream/",
      ...arrival,
      ...basics,
    ],
    types,
  },
  {
    files: /^src\/pipeline\/(?!index|serve|exchange|explain)/,
    imports: ["src/core/", "src/clients/", "src/upstream/", "src/respond.ts", ...arrival, ...basics],
    types,
    packages: ["structured-headers"],
  },
  {
    files: /^src\/admin\//,
    imports: [
      "src/admin/",
      "src/schema/",
      "src/snapshot/compile.ts",
      "src/snapshot/canary.ts",
      "src/clients/",
      "src/core/",
      "src/target.ts",
      "src/respond.ts",
      ...basics,
    ],
    types: ["src/snapshot/"],
    packages: ["hono", "@hono/zod-openapi", "zod"],
  },
  {
    files: /^durable-objects\/control-plane/,
    imports: [
      "src/core/",
      "src/digest.ts",
      "durable-objects/migrate.ts",
      "durable-objects/control-plane-",
      watchers,
      ...basics,
    ],
    packages: ["cloudflare:workers"],
  },
  {
    files: /^durable-objects\/service-registry/,
    imports: [
      "src/core/",
      "durable-objects/migrate.ts",
      upkeep,
      watchers,
      "durable-objects/service-registry-",
      ...basics,
    ],
    packages: ["cloudflare:workers"],
  },
  {
    files: /^durable-objects\/service-health/,
    imports: ["src/core/breaking/", "durable-objects/migrate.ts", upkeep, "durable-objects/service-health-", ...basics],
    packages: ["cloudflare:workers"],
  },
  {
    files: /^durable-objects\/rate-limiter\.ts$/,
    imports: ["src/core/limiting/", "durable-objects/migrate.ts", ...basics],
    packages: ["cloudflare:workers"],
  },
  { files: /^durable-objects\/migrate\.ts$/, imports: [] },
  { files: /^durable-objects\/upkeep\.ts$/, imports: ["src/bounds.ts", "src/within.ts"] },
  {
    files: /^durable-objects\/watchers\.ts$/,
    imports: ["src/bounds.ts", "src/within.ts", "src/core/leasing/log.ts"],
  },
  {
    files: /^cli\/files\//,
    imports: ["cli/files/", "src/core/json/", "src/bounds.ts"],
    types: ["src/errors.ts"],
    packages: ["yaml", "node:"],
  },
  {
    files: /^cli\/import\//,
    imports: ["cli/import/", "src/core/", "src/schema/", "src/bounds.ts"],
    packages: ["zod"],
  },
  {
    files: /^cli\//,
    imports: ["cli/", "package.json", "src/core/json/", "src/schema/", "src/snapshot/compile.ts", ...basics],
    packages: ["commander", "yaml", "zod", "node:"],
  },
  { files: /^src\/index\.ts$/, imports: ["src/", "durable-objects/"] },
  { files: /\.d\.ts$/, imports: ["src/"] },
];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  readonly local: boolean;
}

const files = ["src", "durable-objects", "cli"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name)),
);

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const statement =
    /(?:^\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?|\bimport\s*\(\s*)["'`]([^"'`]+)["'`]/gm;
  return [...text.matchAll(statement)].map(([, type, to]) => {
    const local = to!.startsWith(".");
    return { from: file, to: local ? normalize(join(dirname(file), to!)) : to!, typeOnly: Boolean(type), local };
  });
}

function isAllowed({ from, to, typeOnly, local }: Import): boolean {
  const room = rooms.find(({ files }) => files.test(from));
  if (!room) return false;
  if (!local)
    return (room.packages ?? []).some((name) => to === name || to.startsWith(name.endsWith(":") ? name : `${name}/`));
  return [...room.imports, ...(typeOnly ? (room.types ?? []) : [])].some((prefix) => to.startsWith(prefix));
}

const imports = files.flatMap(importsOf);

describe("architecture", () => {
  it("finds the project's files and imports", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(imports.length).toBeGreaterThan(150);
  });

  it("every file belongs to a room", () => {
    expect(files.filter((file) => !rooms.some((room) => room.files.test(file)))).toEqual([]);
  });

  it("no import crosses a border that the table does not open", () => {
    expect(imports.filter((entry) => !isAllowed(entry)).map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  it("no stage of the pipeline imports another", () => {
    const stages = imports.filter(
      ({ from, to }) => /^src\/pipeline\/(?!index|serve|exchange|explain)/.test(from) && to.startsWith("src/pipeline/"),
    );
    expect(stages).toEqual([]);
  });

  it("there are no circles of files, types aside", () => {
    expect(circles(imports.filter(({ local, typeOnly }) => local && !typeOnly))).toEqual([]);
  });

  it("the core knows neither time nor chance", () => {
    const forbidden = /\bDate\b|\bMath\b(?!\.(?!random\b))|performance\.|setTimeout|crypto\./;
    const lines = files
      .filter((file) => file.startsWith("src/core/"))
      .flatMap((file) =>
        readFileSync(join(root, file), "utf8")
          .split("\n")
          .filter((line) => forbidden.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      );
    expect(lines).toEqual([]);
  });

  it("every room says what it is for, in at most 40 lines", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) =>
        name === "core"
          ? readdirSync(join(root, "src/core"), { withFileTypes: true })
              .filter((entry) => entry.isDirectory())
              .map((entry) => join("src/core", entry.name))
          : [join("src", name)],
      );
    for (const folder of [...folders, "durable-objects", "cli"]) {
      const text = readFileSync(join(root, folder, "README.md"), "utf8");
      expect(text.split("\n").length, relative(root, folder)).toBeLessThanOrEqual(41);
    }
  });
});

function circles(edges: readonly Import[]): string[] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]) => {
    if (trail.includes(file)) found.push([...trail.slice(trail.indexOf(file)), file].join(" -> "));
    if (done.has(file) || trail.includes(file)) return;
    for (const { to } of next.get(file) ?? []) visit(to, [...trail, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}
