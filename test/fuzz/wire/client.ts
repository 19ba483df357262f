/** Sends bytes as they are, and reads what comes of them. */
import { connect, type Socket } from "node:net";
import { type Answer, AnswerReader } from "./answers.ts";

/** What became of one input. */
export interface Reply {
  readonly answers: readonly Answer[];
  /** `kept`: its connection goes on; `closed` and `reset` by the gateway; `silent`: neither an answer nor an end in time. */
  readonly end: "kept" | "closed" | "reset" | "silent";
  /** What of the answers is not HTTP. */
  readonly problem: string | null;
}

/** Time without a byte after which a connection counts as silent: long, as the machine may be busy. */
const silentMs = 15_000;
/** Connections at once. */
const lanes = 12;
/** Inputs on their way on one connection. */
const pipelined = 12;

/** Each input on a connection of its own, whose sending side is closed after it. */
export function askAlone(port: number, inputs: readonly Buffer[]): Promise<Reply[]> {
  return inLanes(inputs.length, (at) => alone(port, inputs[at]!));
}

/** Calls `one` for each number below `count`, a few at a time. */
export async function inLanes<T>(count: number, one: (at: number) => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const at = next++;
      all[at] = await one(at);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
  return all;
}

function alone(port: number, input: Buffer): Promise<Reply> {
  const reader = new AnswerReader(input.includes("HEAD"));
  return new Promise((resolve, reject) => {
    const socket = open(
      port,
      reader,
      (end) => resolve({ answers: reader.answers, end, problem: reader.problem }),
      reject,
    );
    socket.on("data", (data: Buffer) => reader.push(data));
    socket.end(input);
  });
}

/** Reports how the connection ended, once; rejects when there never was one. */
function open(
  port: number,
  reader: AnswerReader,
  done: (end: Reply["end"]) => void,
  gone: (error: Error) => void,
): Socket {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  let end: Reply["end"] = "closed";
  let isConnected = false;
  socket.once("connect", () => {
    isConnected = true;
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    end = "reset";
    if (!isConnected) gone(error);
  });
  socket.setTimeout(silentMs, () => {
    end = "silent";
    socket.destroy();
  });
  socket.on("end", () => socket.end());
  socket.on("close", () => {
    reader.end(end === "closed");
    done(end);
  });
  return socket;
}

/**
 * Inputs that are one whole request each, pipelined on connections that are kept. What comes after an input that ends its
 * connection goes to a new one.
 */
export async function askInTurn(port: number, inputs: readonly Buffer[]): Promise<Reply[]> {
  const replies: Reply[] = [];
  const share = Math.ceil(inputs.length / lanes);
  await inLanes(Math.ceil(inputs.length / Math.max(1, share)), async (lane) => {
    const to = Math.min(inputs.length, (lane + 1) * share);
    for (let at = lane * share; at < to; ) {
      const answered = await onOne(port, inputs.slice(at, to));
      for (const reply of answered) replies[at++] = reply;
      // Of the one that ended the connection the answer may have been lost with it.
      if (at < to && answered.at(-1)?.end !== "closed") replies[at] = await alone(port, inputs[at++]!);
    }
  });
  return replies;
}

/** The replies until the connection ended: fewer than inputs if it did early. */
function onOne(port: number, inputs: readonly Buffer[]): Promise<Reply[]> {
  const reader = new AnswerReader(false);
  return new Promise((resolve, reject) => {
    let sent = 0;
    const send = () => {
      const to = Math.min(inputs.length, reader.answers.length + pipelined);
      if (to > sent) socket.write(Buffer.concat(inputs.slice(sent, to)));
      sent = to;
    };
    const done = () => {
      const { answers, problem } = reader;
      const replies: Reply[] = answers
        .slice(0, inputs.length)
        .map((answer) => ({ answers: [answer], end: "kept", problem: null }));
      const last = replies.length - 1;
      if (last >= 0 && replies.length < inputs.length && isLast(answers[last]!))
        replies[last] = { ...replies[last]!, end: "closed" };
      const extra = answers.length > inputs.length ? "malformed: more answers than requests" : problem;
      if (extra !== null) replies.push({ answers: [], end: "closed", problem: extra });
      resolve(replies.slice(0, inputs.length));
    };
    const socket = open(port, reader, done, reject);
    socket.on("data", (data: Buffer) => {
      reader.push(data);
      if (reader.answers.length >= inputs.length || reader.problem !== null) socket.destroy();
      else send();
    });
    send();
  });
}

/** Does the connection end with this answer? */
const isLast = ({ status, head }: Answer): boolean => status === 400 || /\r\nconnection:[ \t]*close/i.test(head);
