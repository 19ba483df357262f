import { expect, it } from "vitest";
import { startBed } from "./bed.ts";

/** An origin of the service "api". */
const named = (origin: string, zone: string) =>
  ["api", origin, { url: "http://127.0.0.1:9", weight: 0, zone, ttlSeconds: 300 }] as const;

it("every change is reported once, and of the fuzzer's own origin none", async () => {
  const bed = await startBed({ service: "api", origin: "own" });
  try {
    for (const zone of ["a", "b"]) {
      await bed.gateway.register(...named("own", zone));
      expect(await bed.changes()).toEqual([]);
    }
    for (const zone of ["a", "b"]) {
      await bed.gateway.register(...named("other", zone));
      const rules = (await bed.changes()).map((what) => what.split(" ")[1]);
      expect(rules).toContain("/v1/services:");
      expect(await bed.changes()).toEqual([]);
    }
  } finally {
    await bed.stop();
  }
});
