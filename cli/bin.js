#!/usr/bin/env node
/**
 * `sluice`. Plain JavaScript, since it may be started by a Node.js that cannot run TypeScript; then the one that is
 * installed with the project takes over.
 */
import { spawn } from "node:child_process";
import module from "node:module";

// Type stripping takes longer than most commands; what it made is kept in the system's temporary folder.
module.enableCompileCache?.();

const runsTypeScript = Boolean(process.features.typescript);

if (runsTypeScript) {
  const { runProcess } = await import("./sluice.ts");
  await runProcess();
} else {
  const node = installedNode();
  if (node === null || process.env.SLUICE_NODE === node) {
    console.error(`sluice: needs Node.js 22.18 or later; this is ${process.version}`);
    process.exitCode = 1;
  } else {
    const child = spawn(node, process.argv.slice(1), {
      stdio: "inherit",
      // Without it a package that is no better than this one would start itself for ever.
      env: { ...process.env, SLUICE_NODE: node },
    });
    // A terminal sends Ctrl-C to both; the child decides what it means.
    process.on("SIGINT", () => {});
    for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP"])) process.on(signal, () => child.kill(signal));
    child.once("exit", (code) => {
      process.exitCode = code ?? 1;
    });
  }
}

/** Path of the Node.js of the package `node`, null when it is not installed. */
function installedNode() {
  try {
    return module.createRequire(import.meta.url).resolve("node/bin/node");
  } catch {
    return null;
  }
}
