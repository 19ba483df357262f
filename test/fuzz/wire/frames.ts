/** WebSocket frames (RFC 6455), one in ten inputs such as no client may send. */
import type { Random } from "../../support/random.ts";
import { one } from "./requests.ts";

/** How the length of a payload is written: 7, 16 or 64 bits; a longer way than needed is not allowed. */
type Width = 7 | 16 | 64;

const widthOf = (length: number): Width => (length < 126 ? 7 : length < 65_536 ? 16 : 64);

/** A frame; `declared`: the length it says, if that is another than its payload's. */
function frame(
  first: number,
  payload: Buffer,
  isMasked = true,
  width = widthOf(payload.length),
  declared = payload.length as number | bigint,
): Buffer {
  const mask = isMasked ? 0x80 : 0;
  const said = BigInt.asUintN(64, BigInt(declared));
  const head = Buffer.alloc({ 7: 2, 16: 4, 64: 10 }[width]);
  head[0] = first;
  head[1] = mask | { 7: Number(said & 0x7fn), 16: 126, 64: 127 }[width];
  if (width === 16) head.writeUInt16BE(Number(said & 0xffffn), 2);
  if (width === 64) head.writeBigUInt64BE(said, 2);
  // A mask of zeros is a mask.
  return Buffer.concat(isMasked ? [head, Buffer.alloc(4), payload] : [head, payload]);
}

const texts = ["", "ping", "hello", "\u00e9\u{1f600}", "pingping", "{}", "a".repeat(200)].map((text) =>
  Buffer.from(text),
);
/** No UTF-8: a byte that never is, too long a form, a surrogate, beyond the last code point, half a character. */
const notText = ["ff", "c0af", "eda080", "f4908080", "e282"].map((hex) => Buffer.from(hex, "hex"));
const closeCodes = [1000, 1001, 1003, 1004, 1005, 1006, 1007, 1011, 1015, 2999, 3000, 4999, 5000, 0, 999, 65_535];
const opcodes = [0, 1, 2, 8, 9, 10, 3, 7, 11, 15];
const lengths = [0, 1, 125, 126, 65_536, 2 ** 31, 2 ** 32, 2 ** 53, 2n ** 63n - 1n, 2n ** 63n, -1n];

/** Share of the inputs that a client may not send, or after which it is cut off. */
const hostileShare = 0.1;

/** One input: a frame or a few. */
export function frames(random: Random): Buffer {
  return random.chance(hostileShare) ? one(random, hostile)(random) : one(random, sound)(random);
}

const sound: readonly ((random: Random) => Buffer)[] = [
  (random) => frame(0x89, one(random, texts.slice(0, 4))),
  (random) => frame(0x8a, one(random, [...texts.slice(0, 4), ...notText])),
  () => frame(0x81, Buffer.from("ping")),
  (random) => frame(0x81, one(random, texts)),
  (random) => frame(0x82, one(random, [...texts, ...notText])),
  // One message in pieces, with a ping in between.
  (random) => {
    const text = one(random, texts);
    const cut = random.int(0, text.length);
    const between = random.chance(0.5) ? [frame(0x89, Buffer.from("in between"))] : [];
    return Buffer.concat([frame(0x02, text.subarray(0, cut)), ...between, frame(0x80, text.subarray(cut))]);
  },
];

const hostile: readonly ((random: Random) => Buffer)[] = [
  anyFrame,
  anyFrame,
  (random) => Buffer.concat([anyFrame(random), anyFrame(random)]),
  (random) => frame(0x81, one(random, notText)),
  (random) => frame(0x80 | one(random, [8, 9, 10]), Buffer.alloc(random.int(126, 300), "c")),
  (random) => frame(one(random, [0x08, 0x09, 0x0a, 0x00]), one(random, texts.slice(0, 4))),
  closing,
  (random) =>
    frame(0x82, Buffer.alloc(random.chance(0.1) ? random.int(2_000, 200_000) : random.int(1_025, 2_000), "b")),
  // More messages than a watcher may send.
  (random) => Buffer.concat(Array.from({ length: random.int(90, 130) }, () => frame(0x81, Buffer.from("x")))),
  // A message that never ends.
  (random) =>
    Buffer.concat([frame(0x02, texts[2]!), ...Array.from({ length: random.int(1, 60) }, () => frame(0x00, texts[6]!))]),
  (random) => Buffer.from(Array.from({ length: random.int(1, 40) }, () => random.int(0, 255))),
];

function anyFrame(random: Random): Buffer {
  const reserved = random.chance(0.2) ? random.int(1, 7) << 4 : 0;
  const payload = one(random, [...texts, ...notText, Buffer.alloc(126), Buffer.alloc(2_000, "b")]);
  const width = one<Width>(random, payload.length < 126 ? [7, 7, 16, 64] : [16, 64]);
  const declared = random.chance(0.2) ? one(random, lengths) : payload.length;
  return frame(
    (random.chance(0.7) ? 0x80 : 0) | reserved | one(random, opcodes),
    payload,
    random.chance(0.8),
    width,
    declared,
  );
}

function closing(random: Random): Buffer {
  const code = Buffer.alloc(2);
  code.writeUInt16BE(one(random, closeCodes));
  const payload = one(random, [
    Buffer.alloc(0),
    Buffer.of(3),
    code,
    Buffer.concat([code, one(random, [...texts, ...notText])]),
  ]);
  return frame(0x88, payload);
}

/** The frame by which a client ends a connection. */
export const goodbye: Buffer = frame(0x88, Buffer.of(0x03, 0xe8));

/** A ping after an input, told from all others by its answer. */
export const pingOf = (input: number): Buffer => frame(0x89, Buffer.from(`after ${input}`));

/** Which input a pong is for; null: it answers no `pingOf`. */
export function inputOf(pong: Buffer): number | null {
  const [, input] = /^after (\d+)$/.exec(pong.toString("latin1")) ?? [];
  return input === undefined ? null : Number(input);
}
