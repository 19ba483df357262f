/** What a deploy uploads: each isolate that starts has to load and evaluate it. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { bundlePath } from "../support/bundle.ts";

/** A little above what it is. The promise is 150 KiB; to raise this towards it needs a reason in the commit. */
const gzipBytesMax = 142 * 1024;
/** Left out on purpose, see docs/decisions/0016-bundle-size.md. English is the language of Zod's messages here. */
const forbidden =
  /\/zod\/(?!.*\/locales\/(en|index)\.js$).*\/locales\/|\/(re2js|@hono\/zod-openapi|@asteasolutions|@hono\/zod-validator)\/|\bcli\//;

interface Metafile {
  readonly outputs: Readonly<Record<string, { readonly inputs: Readonly<Record<string, { bytesInOutput: number }>> }>>;
}

let path: string;
let inputs: readonly string[];
beforeAll(async () => {
  path = await bundlePath();
  const { outputs } = JSON.parse(readFileSync(join(dirname(path), "meta.json"), "utf8")) as Metafile;
  inputs = Object.values(outputs).flatMap((output) =>
    Object.entries(output.inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput > 0 ? [input] : [])),
  );
});

describe("the bundle", () => {
  test("is within its budget, compressed", () => {
    expect(gzipSync(readFileSync(path)).byteLength).toBeLessThanOrEqual(gzipBytesMax);
  });
  test("has nothing that was left out", () => {
    expect(inputs.filter((input) => forbidden.test(`/${input}`))).toEqual([]);
    expect(inputs.filter((input) => input.includes("node_modules/zod/")).length).toBeGreaterThan(5);
  });
  test("exports the objects by the names that wrangler.toml has", () => {
    const config = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
    const declared = new Set([...config.matchAll(/class_name = "(\w+)"/g)].map(([, name]) => name!));
    const exported = /export\s*\{([^}]*)\}\s*;?\s*(?:\/\/.*)?$/.exec(readFileSync(path, "utf8").trimEnd())?.[1] ?? "";
    const names = exported.split(",").map((entry) =>
      entry
        .trim()
        .split(/\s+as\s+/)
        .at(-1),
    );
    expect(names).toEqual(expect.arrayContaining([...declared]));
    expect(declared.size).toBe(4);
  });
});
