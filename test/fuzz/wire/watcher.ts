/** A client that watches to the end, and goes on from its place when it is told to resume. */
import { connect } from "node:net";
import { tokens } from "../../support/tokens.ts";
import { closePayload, opcodes, readFrame, upgradeHeaders } from "../../support/websocket.ts";
import { headText, Wire } from "../../support/wire.ts";

export interface SteadyWatcher {
  readonly path: string;
  /** How many events it has got. */
  events(): number;
  /** Why it does not watch any more; null: it does. */
  end(): string | null;
  leave(): void;
}

/** What a client sends to begin with. */
export function handshake(path: string): Buffer {
  const headers = upgradeHeaders([["Authorization", `Bearer ${tokens.viewer}`]]);
  return Buffer.from(headText(`GET ${path} HTTP/1.1`, [["Host", "frames.test"], ...headers]));
}

/** One connection carries only so much. */
const resume = closePayload(1013, "resume");

/** Resolves when it watches. */
export async function startWatcher(port: number, path: string): Promise<SteadyWatcher> {
  let [events, isLeft] = [0, false];
  let end: string | null = null;
  const open = async (query: string): Promise<Wire> => {
    const opened = new Wire(connect(port, "127.0.0.1"));
    await opened.write(handshake(path + query));
    const { startLine } = await opened.head();
    if (!startLine.startsWith("HTTP/1.1 101")) throw new Error(startLine);
    return opened;
  };
  let wire = await open("");
  const follow = async () => {
    for (let place = 0; !isLeft; ) {
      const { opcode, payload } = await readFrame(wire);
      if (opcode === opcodes.text) {
        const { version, revision } = JSON.parse(payload.toString()) as { version?: number; revision: number };
        place = version ?? revision;
        events++;
      } else {
        wire.socket.destroy();
        if (!payload.equals(resume)) throw new Error(`frame ${opcode}: ${payload.toString("hex")}`);
        wire = await open(`?from=${place}`);
      }
    }
  };
  follow().catch((error) => {
    end = String(error);
  });
  return {
    path,
    events: () => events,
    end: () => end,
    leave() {
      isLeft = true;
      wire.socket.destroy();
    },
  };
}
