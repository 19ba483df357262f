/** WebSocket (RFC 6455) by hand, for both ends: the opening handshake and unfragmented frames. */
import { createHash } from "node:crypto";
import type { HeaderLines } from "./client.ts";
import type { Incoming } from "./origin.ts";
import { headerOf, headText, type Wire } from "./wire.ts";

export const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The key of RFC 6455 1.2; any 16 bytes do. */
export const key = "dGhlIHNhbXBsZSBub25jZQ==";

/** Headers with which a client asks for a WebSocket. */
export function upgradeHeaders(more: HeaderLines = []): HeaderLines {
  return [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", key],
    ...more,
  ];
}

/** `Sec-WebSocket-Accept` for a key (RFC 6455 4.2.2). */
export function acceptOf(clientKey: string): string {
  return createHash("sha1").update(`${clientKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** The origin's side of the handshake. */
export function accept(request: Incoming, more: HeaderLines = []): Promise<void> {
  const headers: HeaderLines = [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Accept", acceptOf(headerOf(request, "sec-websocket-key") ?? "")],
    ...more,
  ];
  return request.wire.write(headText("HTTP/1.1 101 Switching Protocols", headers));
}

/** Sends one frame; what a client sends must be masked. */
export function sendFrame(wire: Wire, opcode: number, payload: string | Uint8Array, masked: boolean): Promise<void> {
  const bytes = Buffer.from(payload as string);
  const mask = Buffer.from([1, 2, 3, 4]);
  const maskBit = masked ? 0x80 : 0;
  const short = bytes.length < 126;
  const head = Buffer.alloc(short ? 2 : 10);
  head[0] = 0x80 | opcode;
  head[1] = maskBit | (short ? bytes.length : 127);
  if (!short) head.writeBigUInt64BE(BigInt(bytes.length), 2);
  if (!masked) return wire.write(Buffer.concat([head, bytes]));
  return wire.write(Buffer.concat([head, mask, bytes.map((byte, index) => byte ^ mask[index % 4]!)]));
}

/** The next frame, unmasked. */
export async function readFrame(wire: Wire): Promise<Frame> {
  const head = await wire.exactly(2);
  const short = head[1]! & 0x7f;
  const length =
    short === 126
      ? (await wire.exactly(2)).readUInt16BE()
      : short === 127
        ? Number((await wire.exactly(8)).readBigUInt64BE())
        : short;
  const mask = head[1]! & 0x80 ? await wire.exactly(4) : Buffer.alloc(4);
  const payload = (await wire.exactly(length)).map((byte, index) => byte ^ mask[index % 4]!);
  return { opcode: head[0]! & 0x0f, payload: Buffer.from(payload) };
}

/** Payload of a close frame: `code`, then `reason`. */
export function closePayload(code: number, reason = ""): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return Buffer.concat([payload, Buffer.from(reason)]);
}
