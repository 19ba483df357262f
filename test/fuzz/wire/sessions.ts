/** Plays frames on connections that watch, and learns which of them were read. */
import { connect } from "node:net";
import { opcodes, readFrame } from "../../support/websocket.ts";
import { Truncated, Wire } from "../../support/wire.ts";
import { goodbye, inputOf, pingOf } from "./frames.ts";

/** What became of the inputs that were sent on one connection. */
export interface Session {
  /** How many were read to their end, each told by the answer to a ping after it. */
  readonly read: number;
  /** What ended it: `closed <code>`, `ended` without a Close, `refused <status line>`, `silent`; or what is not allowed. */
  readonly end: string;
}

/** Time after which a connection without an end counts as silent: longer than an object stays awake, on a busy machine. */
const silentMs = 30_000;

/** Sends the inputs in one go, then says goodbye (or just ends, if not `isPolite`), and reads what comes. */
export async function session(
  port: number,
  handshake: Buffer,
  inputs: readonly Buffer[],
  isPolite: boolean,
): Promise<Session> {
  const wire = new Wire(connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true }));
  let [read, isSilent] = [0, false];
  const timer = setTimeout(() => {
    isSilent = true;
    wire.socket.destroy();
  }, silentMs);
  const end = async (): Promise<string> => {
    const { startLine } = await wire.head();
    if (!startLine.startsWith("HTTP/1.1 101 ")) return `refused ${startLine}`;
    for (;;) {
      const { opcode, payload } = await readFrame(wire);
      if (opcode === opcodes.pong) read = (inputOf(payload) ?? read - 1) + 1;
      if (opcode === opcodes.close) return `closed ${payload.length < 2 ? "" : payload.readUInt16BE()}`;
      if (opcode !== opcodes.pong && opcode !== opcodes.text) return `frame ${opcode}`;
    }
  };
  try {
    wire.socket.write(Buffer.concat([handshake, ...inputs.flatMap((input, at) => [input, pingOf(at)])]));
    wire.socket.end(isPolite ? goodbye : "");
    return { end: await end(), read };
  } catch (error) {
    if (!(error instanceof Truncated)) throw error;
    return { read, end: isSilent ? "silent" : "ended" };
  } finally {
    clearTimeout(timer);
    wire.socket.destroy();
  }
}
