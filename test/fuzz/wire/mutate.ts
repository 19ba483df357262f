/** Changes of bytes: what a grammar would never think of. */
import type { Random } from "../../support/random.ts";

/** Bytes that mean something to a parser of HTTP. */
const telling = Buffer.from("\r\n\t\0 :;,=/\\.%?#@\"'[]{}<>|^~-+_\x7f\x80\xc0\xff09azAZ", "latin1");
/** Longest run that is made, in bytes; one in a hundred is ten times as long. */
const runMax = 2_000;

type Change = (input: Buffer, random: Random, other: () => Buffer) => Buffer;

const at = (input: Buffer, random: Random): number => random.int(0, input.length);
const byte = (random: Random): number =>
  random.chance(0.7) ? telling[random.int(0, telling.length - 1)]! : random.int(0, 255);

function replaced(input: Buffer, from: number, to: number, by: Uint8Array): Buffer {
  return Buffer.concat([input.subarray(0, from), by, input.subarray(to)]);
}

/** A piece of it, most often a short one. */
function piece(input: Buffer, random: Random): [from: number, to: number] {
  const from = at(input, random);
  const length = random.chance(0.8) ? random.int(1, 8) : random.int(1, Math.max(1, input.length));
  return [from, Math.min(input.length, from + length)];
}

const changes: readonly Change[] = [
  function flip(input, random) {
    const changed = Buffer.from(input);
    const where = at(input, random);
    if (where < changed.length) changed[where] = changed[where]! ^ (1 << random.int(0, 7));
    return changed;
  },
  function overwrite(input, random) {
    const [from] = piece(input, random);
    return replaced(input, from, from + 1, Buffer.of(byte(random)));
  },
  function insert(input, random) {
    const where = at(input, random);
    return replaced(input, where, where, Buffer.from(Array.from({ length: random.int(1, 4) }, () => byte(random))));
  },
  function remove(input, random) {
    return replaced(input, ...piece(input, random), Buffer.alloc(0));
  },
  function repeat(input, random) {
    const [from, to] = piece(input, random);
    const times = random.int(1, 8);
    return replaced(input, to, to, Buffer.concat(Array.from({ length: times }, () => input.subarray(from, to))));
  },
  function splice(input, random, other) {
    const second = other();
    const [from, to] = piece(second, random);
    const where = at(input, random);
    return replaced(input, where, where, random.chance(0.5) ? second : second.subarray(from, to));
  },
  function truncate(input, random) {
    return input.subarray(0, at(input, random));
  },
  function run(input, random) {
    const where = at(input, random);
    const length = random.int(1, runMax) * (random.chance(0.01) ? 10 : 1);
    return replaced(input, where, where, Buffer.alloc(random.chance(0.9) ? length >> 3 : length, byte(random)));
  },
];

/** One to four changes, one after another; `other` gives inputs to splice with. */
export function mutated(input: Buffer, random: Random, other: () => Buffer): Buffer {
  let changed = input;
  for (let left = random.chance(0.5) ? 1 : random.int(2, 4); left > 0; left--) {
    changed = changes[random.int(0, changes.length - 1)]!(changed, random, other);
  }
  return changed;
}
