/** The hash behind sticky splits: the same text gives the same number in every isolate and every release. */
import { bounds } from "../../bounds.ts";

const replacementCharacter = 0xfffd;

/**
 * MurmurHash3_x86_32 (Austin Appleby, SMHasher; public domain) of the UTF-8 bytes of `text`: an unsigned 32-bit integer.
 * `seed` is any integer, of which the low 32 bits count. A lone surrogate is hashed as U+FFFD, as an encoder would send it.
 */
export function murmur3(text: string, seed = 0): number {
  let hash = seed | 0;
  let index = 0;
  // Whole blocks of ASCII need no encoding; nearly all keys are nothing else (bench/micro: murmur3).
  for (; index + 4 <= text.length; index += 4) {
    const a = text.charCodeAt(index);
    const b = text.charCodeAt(index + 1);
    const c = text.charCodeAt(index + 2);
    const d = text.charCodeAt(index + 3);
    if ((a | b | c | d) > 0x7f) break;
    hash = mix(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  return hashRest(text, index, hash);
}

/** What is left of a text from `index` on, where a block begins. */
function hashRest(text: string, from: number, begun: number): number {
  let hash = begun;
  let block = 0;
  let blockBits = 0;
  let lengthBits = from * 8;
  for (let index = from; index < text.length; index++) {
    const point = text.codePointAt(index)!;
    if (point > 0xffff) index++;
    const bits = utf8Bits(point);
    const bytes = utf8Bytes(point);
    lengthBits += bits;
    block |= bytes << blockBits;
    blockBits += bits;
    if (blockBits < 32) continue;
    hash = mix(hash, block);
    blockBits -= 32;
    // A shift by 32 would be a shift by 0, so a character that ends with the block needs its own branch.
    block = blockBits === 0 ? 0 : bytes >>> (bits - blockBits);
  }
  return finish(hash ^ scramble(block) ^ (lengthBits / 8));
}

/** Bucket of a sticky key: an integer in [0, bounds.splitBuckets). The NUL keeps salt and key from running into each other. */
export function bucketOf(salt: string, key: string): number {
  return murmur3(`${salt}\0${key}`) % bounds.splitBuckets;
}

function utf8Bits(point: number): 8 | 16 | 24 | 32 {
  if (point < 0x80) return 8;
  if (point < 0x800) return 16;
  return point < 0x10000 ? 24 : 32;
}

/** The UTF-8 bytes of a code point (RFC 3629), the first in the lowest eight bits. */
function utf8Bytes(point: number): number {
  if (point < 0x80) return point;
  if (point < 0x800) return 0xc0 | (point >> 6) | (trail(point) << 8);
  if (point >= 0xd800 && point <= 0xdfff) return utf8Bytes(replacementCharacter);
  if (point < 0x10000) return 0xe0 | (point >> 12) | (trail(point >> 6) << 8) | (trail(point) << 16);
  return 0xf0 | (point >> 18) | (trail(point >> 12) << 8) | (trail(point >> 6) << 16) | (trail(point) << 24);
}

function trail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}

/** Takes in one whole block. */
function mix(hash: number, block: number): number {
  return (Math.imul(rotateLeft(hash ^ scramble(block), 13), 5) + 0xe6546b64) | 0;
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Mixes one block; 0 for the empty rest of a text that ends with a block, which then changes nothing. */
function scramble(block: number): number {
  return Math.imul(rotateLeft(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
}

function finish(value: number): number {
  const first = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return (second ^ (second >>> 16)) >>> 0;
}
