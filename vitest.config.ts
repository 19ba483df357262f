import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { tokens } from "./test/support/tokens.ts";

/** A test that hangs has to end; one that takes long on a busy machine is none of that. */
const patience = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 10_000 } } };

const properties = "./test/support/properties.ts";

export default defineConfig({
  test: {
    coverage: {
      provider: "istanbul",
      include: ["src/**/*.ts", "durable-objects/**/*.ts", "cli/**/*.ts"],
      exclude: ["**/*.d.ts"],
      // A table of every file would hide which tests failed; --coverage.reporter=text prints it.
      reporter: ["text-summary"],
      reportOnFailure: true,
      thresholds: {
        statements: 85,
        branches: 85,
        functions: 85,
        lines: 85,
        "src/core/**": { branches: 95 },
      },
    },
    projects: [
      {
        // Pure code, by Node: src/core, schema, compile, the examples' modules.
        test: { name: "unit", include: ["test/unit/**/*.test.ts"], setupFiles: [properties], ...patience },
      },
      {
        // Isolates and objects in a simulated world, by Node.
        test: { name: "sim", include: ["test/sim/**/*.test.ts"], ...patience },
      },
      {
        // Inside workerd, with real Durable Objects.
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                ADMIN_TOKEN: tokens.admin,
                REGISTRAR_TOKEN: tokens.registrar,
                VIEWER_TOKEN: tokens.viewer,
                ALLOW_PRIVATE_ORIGINS: "true",
              },
            },
          }),
        ],
        test: {
          name: "workers",
          include: ["test/workers/**/*.test.ts"],
          ...patience,
          // A real HTTP origin, by Node: workerd cannot listen.
          globalSetup: "./test/support/workers-origin.ts",
        },
      },
      {
        // Hostile input: FUZZ_INPUTS for each fuzzer.
        test: { name: "fuzz", include: ["test/fuzz/**/*.test.ts"], ...patience, testTimeout: 300_000 },
      },
      {
        // Processes that are killed and go on, by Node.
        test: { name: "chaos", include: ["test/chaos/**/*.test.ts"], ...patience },
      },
      {
        // Black box over real sockets.
        test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], setupFiles: [properties], ...patience },
      },
    ],
  },
});
