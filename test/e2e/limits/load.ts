/** Requests at a steady pace over all isolates, and what became of each. */
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { parseDictionary } from "structured-headers";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly tookMs: number;
  readonly sentMs: number;
}

export interface Load {
  readonly urls: readonly string[];
  readonly path: string;
  /** Requests a second, over all isolates together. */
  readonly rate: number;
  readonly durationMs: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly answers: readonly Answer[];
  /** Requests a second that were really made. */
  readonly achieved: number;
}

// The runtime closes a connection that was idle for 15 s, and a request sent at that moment is lost: they go before.
const agent = new Agent({ keepAlive: true, maxSockets: 256, timeout: 2_000 });

/** One request. */
export function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const sentMs = Date.now();
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => (body += piece));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          tookMs: Date.now() - sentMs,
          sentMs,
        }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** The member `name` of `sluice-decision`; undefined when it is absent. */
export function decided(answer: Answer, name: string): unknown {
  const field = answer.headers["sluice-decision"];
  return parseDictionary(String(field ?? "")).get(name)?.[0];
}

/** Calls to objects that the request waited for. */
export const callsOf = (answer: Answer): number => Number(decided(answer, "calls"));

export const admitted = (answers: readonly Answer[]): Answer[] => answers.filter(({ status }) => status === 200);

/** Sends by the clock, whether or not earlier requests are answered; each isolate gets every n-th. */
export async function run({ urls, path, rate, durationMs, headers }: Load): Promise<Outcome> {
  const startMs = Date.now();
  const pending: Promise<Answer>[] = [];
  while (Date.now() - startMs < durationMs) {
    const due = Math.floor(((Date.now() - startMs) * rate) / 1_000);
    // What could not be sent in time is not made up for all at once: a stalled machine makes no burst.
    for (let burst = 0; pending.length < due && burst < 64; burst++) {
      pending.push(ask(urls[pending.length % urls.length] + path, headers));
    }
    await wait(4);
  }
  const achieved = (pending.length * 1_000) / (Date.now() - startMs);
  return { answers: await Promise.all(pending), achieved };
}
