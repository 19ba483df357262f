import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import { bucketOf, murmur3 } from "../../../../src/core/traffic/hash.ts";

describe("murmur3", () => {
  // Published vectors: SMHasher's by way of "MurmurHash3 Test Vectors" (Stack Overflow 31929528), and Wikipedia's "MurmurHash".
  test.each([
    ["", 0, 0],
    ["", 1, 0x514e28b7],
    ["", 0xffffffff, 0x81f16f39],
    ["\0\0\0\0", 0, 0x2362f9de],
    ["\0\0\0", 0, 0x85f0b427],
    ["\0\0", 0, 0x30f4c306],
    ["\0", 0, 0x514e28b7],
    ["!Ce", 0, 0x7e4a8634],
    ["!C", 0, 0xa0f7b07a],
    ["!", 0, 0x72661cf4],
    ["aaaa", 0x9747b28c, 0x5a97808a],
    ["aaa", 0x9747b28c, 0x283e0130],
    ["aa", 0x9747b28c, 0x5d211726],
    ["abcd", 0x9747b28c, 0xf0478627],
    ["abc", 0, 0xb3dd93fa],
    ["test", 0, 0xba6bd213],
    ["Hello, world!", 0, 0xc0363e43],
    ["Hello, world!", 0x9747b28c, 0x24884cba],
    ["ππππππππ", 0x9747b28c, 0xd58063c1],
    ["The quick brown fox jumps over the lazy dog", 0x9747b28c, 0x2fa826cd],
    ["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 0, 0xee925b90],
    ["a".repeat(256), 0x9747b28c, 0x37405bdc],
  ])("%j with seed %d", (text, seed, hash) => {
    expect(murmur3(text, seed)).toBe(hash);
  });

  /** The reference implementation, over bytes. */
  function overBytes(bytes: Uint8Array, seed: number): number {
    const mix = (block: number) => {
      const first = Math.imul(block, 0xcc9e2d51);
      return Math.imul((first << 15) | (first >>> 17), 0x1b873593);
    };
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const whole = bytes.length - (bytes.length % 4);
    let hash = seed;
    for (let at = 0; at < whole; at += 4) {
      hash ^= mix(view.getInt32(at, true));
      hash = (hash << 13) | (hash >>> 19);
      hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
    }
    let rest = 0;
    for (let at = bytes.length - 1; at >= whole; at--) rest = (rest << 8) | bytes[at]!;
    hash ^= mix(rest) ^ bytes.length;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  const codes = [
    0x7e, 0x7f, 0x80, 0x7fe, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff, 0x10000, 0x10ffff,
  ];
  test.each(codes)("is so at any place of %x, which is where an encoding changes", (code) => {
    for (let before = 0; before < 5; before++) {
      for (let after = 0; after < 5; after++) {
        const text = "a".repeat(before) + String.fromCodePoint(code) + "z".repeat(after);
        expect(murmur3(text, 7), text).toBe(overBytes(new TextEncoder().encode(text), 7));
      }
    }
  });

  test("is the hash of what an encoder makes of any text, half surrogate pairs included", () => {
    const units = fc
      .array(
        fc.oneof(
          fc.integer({ min: 0, max: 0xffff }),
          fc.integer({ min: 0xd700, max: 0xe0ff }),
          fc.integer({ max: 0x7f, min: 0 }),
        ),
      )
      .map((codes) => String.fromCharCode(...codes));
    const texts = fc.oneof(fc.string({ unit: "binary", maxLength: 24 }), units);
    fc.assert(
      fc.property(texts, fc.integer(), (text, seed) => {
        expect(murmur3(text, seed)).toBe(overBytes(new TextEncoder().encode(text), seed));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("bucketOf", () => {
  test("is a whole number below splitBuckets", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (salt, key) => {
        const bucket = bucketOf(salt, key);
        expect(Number.isInteger(bucket) && bucket >= 0 && bucket < bounds.splitBuckets).toBe(true);
      }),
    );
  });

  // Pinned: another number here would deal every sticky user out again at the next release.
  test.each([
    ["", "", 6727],
    ["users", "ada", 2317],
    ["users", "bob", 8662],
    ["orders", "ada", 9299],
    ["users", "bücher-😀", 7340],
  ])("%j, %j stays in bucket %d from release to release", (salt, key, bucket) => {
    expect(bucketOf(salt, key)).toBe(bucket);
  });

  test("salt and key do not run into each other", () => {
    expect(bucketOf("ab", "c")).not.toBe(bucketOf("a", "bc"));
  });
});
