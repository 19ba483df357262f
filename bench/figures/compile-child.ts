/** Compiles one configuration in a process of its own and prints what it took; `node --expose-gc compile-child.ts ROUTES ORIGINS`. */
import { compileDocument } from "../../src/snapshot/compile.ts";
import { originsConfig, routesConfig } from "../configs.ts";
import { median } from "../measure/stats.ts";

const [routes = 0, origins = 0] = process.argv.slice(2).map(Number);
const repeats = 5;
const origin = "http://127.0.0.1:8080";
const many = originsConfig(origins, origin).services.all;
const text = JSON.stringify({
  services: { ...routesConfig(0, origin).services, ...(origins > 0 && { many }) },
  routes: routesConfig(routes, origin).routes,
});

const { gc } = globalThis;
if (!gc) throw new Error("needs --expose-gc");
const heapBytes = () => {
  for (let turn = 0; turn < 3; turn++) gc();
  return process.memoryUsage().heapUsed;
};

function compile() {
  const startMs = performance.now();
  // With a revision, as an isolate compiles what is in force.
  const result = compileDocument(text, { ALLOW_PRIVATE_ORIGINS: "true" }, 1);
  if (!result.ok) throw new Error(JSON.stringify(result.issues[0]));
  return { result, tookMs: performance.now() - startMs };
}

const first = compile().tookMs;
const again = median(Array.from({ length: repeats }, () => compile().tookMs));
// Code and caches of the first compile are not the configuration's.
const before = heapBytes();
const { result } = compile();
const mib = (heapBytes() - before) / 2 ** 20;
console.log(JSON.stringify({ first, again, mib, kept: result.ok }));
