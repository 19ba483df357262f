/** Where a gateway's state is while it is killed and started again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startedWorkerds } from "../support/workerds.ts";

/** Runs `use` with a new directory, which is gone when it ends, and when this process ends before it. */
export async function withState<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "sluice-chaos-"));
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  const leave = () => {
    // A gateway that still runs would write into it.
    for (const pid of startedWorkerds()) process.kill(pid, "SIGKILL");
    remove();
  };
  process.once("exit", leave);
  try {
    return await use(dir);
  } finally {
    process.off("exit", leave);
    remove();
  }
}
