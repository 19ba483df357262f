import { describe, expect, test } from "vitest";
import { type BodyState, isRepeatable, isRetryableStatus, isSafe } from "../../../../src/core/retrying/classify.ts";
import { policy } from "./support.ts";

const safe = ["GET", "HEAD", "OPTIONS", "TRACE"];
const idempotent = [...safe, "PUT", "DELETE"];
const others = ["POST", "PATCH", "CONNECT", "get", "PROPFIND", ""];
const sendable: readonly BodyState[] = ["none", "kept"];

describe("isSafe", () => {
  test("is true for the methods of RFC 9110 9.2.1 and no other", () => {
    expect([...idempotent, ...others].filter(isSafe)).toEqual(safe);
  });
});

describe("isRepeatable", () => {
  test.each(sendable)("without a key, only the idempotent methods of RFC 9110 9.2.2 (body: %s)", (body) => {
    const repeatable = [...idempotent, ...others].filter((method) =>
      isRepeatable({ method, hasIdempotencyKey: false, body }),
    );
    expect(repeatable).toEqual(idempotent);
  });

  test.each(sendable)("with an idempotency-key, every method (body: %s)", (body) => {
    for (const method of [...idempotent, ...others]) {
      expect(isRepeatable({ method, hasIdempotencyKey: true, body })).toBe(true);
    }
  });

  test("never when the body is gone", () => {
    for (const method of [...idempotent, ...others]) {
      for (const hasIdempotencyKey of [false, true]) {
        expect(isRepeatable({ method, hasIdempotencyKey, body: "gone" })).toBe(false);
      }
    }
  });
});

test("a status is retried when the policy lists it", () => {
  expect([200, 429, 500, 502, 503, 504].filter((status) => isRetryableStatus(policy(), status))).toEqual([502, 503]);
});
