/** The requests that `npm start` shows, each performed at the moment it is printed. */
import { execFile } from "node:child_process";

interface Example {
  readonly title: string;
  /** Line of a shell. What changes from call to call (the origin, an id, a time) is not in its output. */
  readonly line: string;
}

function examples(gateway: string, viewerToken: string): Example[] {
  const url = `${gateway}/api/users/42`;
  return [
    {
      title: "19 of 20 users get v1, and each of them always the same version:",
      line: `curl -s -H 'x-user-id: alice' ${url} | grep -o '"version":"[^"]*"'`,
    },
    { title: "A tester gets v2:", line: `curl -s -H 'x-canary: always' ${url}` },
    { title: "So does a client that asks for it:", line: `curl -s -H 'api-version: v2' ${url}` },
    { title: "No route fits:", line: `curl -s -H 'x-request-id: try-1' ${gateway}/nowhere` },
    {
      title: "What the gateway knows of the origins:",
      line:
        `curl -s -H ${quoted(`authorization: Bearer ${viewerToken}`)} ${gateway}/_sluice/v1/services/users` +
        ` | grep -oE '"(id|state)":"[^"]*"'`,
    },
  ];
}

/** Prints each request as a line that begins with "$ ", the answer that it gives now, and an empty line. */
export async function showRequests(gateway: string, viewerToken: string, signal: AbortSignal): Promise<void> {
  for (const { title, line } of examples(gateway, viewerToken)) {
    const answer = await outputOf(line);
    signal.throwIfAborted();
    console.log(`${title}\n$ ${line}\n${answer.trimEnd()}\n`);
  }
}

/** Everything a shell prints for the line, whether it succeeds or not. */
function outputOf(line: string): Promise<string> {
  return new Promise((resolve) => {
    execFile("sh", ["-c", line], { timeout: 10_000 }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

/** Text as one word of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
