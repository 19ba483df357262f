/** Bodies as bytes: what a hostile client puts on the wire for a JSON document. */
import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { bounds } from "../../../src/bounds.ts";
import { damaged } from "./damage.ts";
import { hostile } from "./hostile.ts";
import { flawsOf, parsed, textOf, type Written } from "./written.ts";

/** A body, and how it was made; null: so that nothing is known of it. */
export interface Body {
  readonly bytes: Buffer;
  readonly written: Written | null;
}

/** What a body is, by its bytes: nothing, no JSON that may be taken, or a value. `unknown`: JSON, but perhaps with a flaw. */
export type Reading =
  | { readonly kind: "empty" | "broken" }
  | { readonly kind: "clean" | "unknown"; readonly text: string; readonly value: unknown };

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** UTF-8, but for half surrogate pairs, which are written as no UTF-8 may have them. */
function bytesOf(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts = text.split(/(\p{Surrogate})/u).map((part) => {
    if (part.isWellFormed()) return Buffer.from(part);
    const code = part.charCodeAt(0);
    return Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]);
  });
  return Buffer.concat(parts);
}

const insert = (bytes: Buffer, at: number, what: readonly number[]) =>
  Buffer.concat([bytes.subarray(0, at), Buffer.from(what), bytes.subarray(at)]);

/** Changes of the bytes; `at` is a place in them. */
const harms: readonly ((bytes: Buffer, at: number) => Buffer)[] = [
  (bytes) => insert(bytes, bytes.length, [0x78]),
  (bytes) => insert(bytes, bytes.length, [0x7d]),
  (bytes) => insert(bytes, bytes.length, [0]),
  (bytes) => insert(bytes, 0, [0]),
  (bytes, at) => insert(bytes, at, [0]),
  (bytes, at) => insert(bytes, at, [0xff]),
  (bytes, at) => insert(bytes, at, [0xc0, 0xaf]),
  (bytes, at) => insert(bytes, at, [0xed, 0xa0, 0x80]),
  (bytes, at) => insert(bytes, at, [0x2c]),
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
  (bytes) => Buffer.concat([bytes, bytes]),
  (bytes) => Buffer.from(bytes.toString(), "utf16le"),
  (bytes) => Buffer.concat([byteOrderMark, byteOrderMark, bytes]),
  () => Buffer.alloc(0),
  () => Buffer.from(" \n"),
];
const harm = fc.oneof(
  { arbitrary: fc.constant(null), weight: 8 },
  { arbitrary: fc.constant("mark" as const), weight: 1 },
  { arbitrary: fc.tuple(fc.constantFrom(...harms), fc.nat(100_000)), weight: 2 },
);

const long = fc.constantFrom("note", "leaseId", "url", "a").map((name): Written => {
  const text = `"${"x".repeat(bounds.adminBodyBytesMax)}"`;
  return { kind: "object", members: [[`"${name}"`, { kind: "token", text }]] };
});

/** Bodies of a call, from good ones. Few are good: what is written costs far more than what is refused. */
export function bodiesFrom(good: readonly unknown[]): fc.Arbitrary<Body> {
  const written = fc.oneof(
    { arbitrary: damaged(good, 1), weight: 700 },
    { arbitrary: damaged(good), weight: 50 },
    { arbitrary: hostile, weight: 200 },
    { arbitrary: long, weight: 1 },
  );
  return fc.tuple(written, fc.constantFrom("", "", "", " "), harm).map(([value, space, how]) => {
    const bytes = bytesOf(textOf(value, space));
    if (how === null) return { bytes, written: value };
    if (how === "mark") return { bytes: Buffer.concat([byteOrderMark, bytes]), written: value };
    return { bytes: how[0](bytes, how[1] % (bytes.length + 1)), written: null };
  });
}

/** Reads a body without the gateway's code. */
export function readingOf({ bytes, written }: Body): Reading {
  if (!isUtf8(bytes)) return { kind: "broken" };
  const text = bytes.toString().replace(/^\ufeff/, "");
  if (text === "") return { kind: "empty" };
  if (written !== null && flawsOf(written, bounds.jsonDepthMax).length > 0) return { kind: "broken" };
  const value = parsed(text);
  return value === undefined ? { kind: "broken" } : { kind: written === null ? "unknown" : "clean", text, value };
}

/** The body on one line. */
export function shownBody({ bytes }: Body): string {
  const text = JSON.stringify(isUtf8(bytes) ? bytes.toString() : bytes.toString("latin1"));
  return text.length > 2_000 ? `${text.slice(0, 2_000)}... (${bytes.length} bytes)` : text;
}
