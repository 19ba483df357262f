import { describe, expect, test } from "vitest";
import { isRepeatable, isRetryableStatus, isSafe } from "../../../../src/core/retrying/classify.ts";
import { policy } from "./support.ts";

const safe = ["GET", "HEAD", "OPTIONS", "TRACE"];
const idempotent = [...safe, "PUT", "DELETE"];
const others = ["POST", "PATCH", "CONNECT", "get", "PROPFIND", ""];

describe("isSafe", () => {
  test("is true for the methods of RFC 9110 9.2.1 and no other", () => {
    expect([...idempotent, ...others].filter(isSafe)).toEqual(safe);
  });
});

describe("isRepeatable", () => {
  test("without a key, only the idempotent methods of RFC 9110 9.2.2", () => {
    expect([...idempotent, ...others].filter((method) => isRepeatable(method, false))).toEqual(idempotent);
  });

  test("with an idempotency-key, every method", () => {
    expect([...idempotent, ...others].every((method) => isRepeatable(method, true))).toBe(true);
  });
});

test("a status is retried when the policy lists it", () => {
  expect([200, 429, 500, 502, 503, 504].filter((status) => isRetryableStatus(policy(), status))).toEqual([502, 503]);
});
