/** Worker processes: each has one mutant at a time, and is replaced when a mutant hangs in it or spoils it. */
import { type ChildProcess, fork } from "node:child_process";
import type { Recorded, Start, Trial, Verdict } from "./worker.ts";

/** A trial, and the time after which it counts as endless. */
export interface Job {
  readonly trial: Trial;
  readonly timeoutMs: number;
}

export interface Judged {
  readonly id: number;
  readonly status: "killed" | "endless" | "survived";
}

const worker = new URL("./worker.ts", import.meta.url);

function begin(start: Start): ChildProcess {
  return fork(worker, [JSON.stringify(start)], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    serialization: "advanced",
    // What tests print of their figures says nothing here.
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

/** What the tests of a plan pass. @throws when the worker ends without an answer. */
export function record(start: Start): Promise<Recorded> {
  return new Promise((resolve, reject) => {
    const child = begin(start);
    child.once("message", (recorded) => resolve(recorded as Recorded));
    child.once("exit", () => reject(new Error("the tests could not be recorded")));
  });
}

/** Trials after which a worker is replaced: modules that were imported anew are never given back. */
const trialsMax = 400;

/** Judges all `jobs`, `count` at a time. */
export async function tryAll(start: Start, jobs: readonly Job[], count: number, onJudged: (judged: Judged) => void) {
  const queue = [...jobs].reverse();
  await Promise.all(Array.from({ length: count }, () => tryInTurn(start, queue, onJudged)));
}

/** One worker after the other, until the queue is empty. */
async function tryInTurn(start: Start, queue: Job[], onJudged: (judged: Judged) => void): Promise<void> {
  while (queue.length > 0) {
    const child = begin(start);
    await answerOf(child, 60_000);
    for (let tried = 0; tried < trialsMax; tried++) {
      const job = queue.pop();
      if (job === undefined) break;
      child.send(job.trial);
      const verdict = (await answerOf(child, job.timeoutMs)) as Verdict | undefined;
      if (verdict?.status === "spoilt") {
        queue.push(job);
        break;
      }
      onJudged(verdict ?? { id: job.trial.id, status: "endless" });
      if (verdict === undefined) break;
    }
    child.kill("SIGKILL");
  }
}

/** The next message; undefined when the worker ends or the time is over. */
function answerOf(child: ChildProcess, timeoutMs: number): Promise<unknown> {
  return new Promise((resolve) => {
    const end = (answer?: unknown) => {
      clearTimeout(timer);
      child.off("message", end);
      child.off("exit", gone);
      resolve(answer);
    };
    const gone = () => end();
    const timer = setTimeout(gone, timeoutMs);
    child.once("message", end);
    child.once("exit", gone);
  });
}
