import { describe, expect, it } from "vitest";
import { delayFor, lineOf, parseOutcome } from "../../../bench/measure/wrk.ts";

describe("the outcome of wrk", () => {
  const line = '{"requests":7186,"seconds":2.001,"bytes":9000,"p50Us":500,"p99Us":901,"socketErrors":2,"refused":7}';

  it("is the line that load.lua writes after wrk's own", () => {
    const { requests, seconds, p99Us, socketErrors, refused } = parseOutcome(
      `Running 2s test\n  1 threads\n\n${line}\n`,
    );
    expect({ requests, seconds, p99Us, socketErrors, refused }).toEqual({
      requests: 7186,
      seconds: 2.001,
      p99Us: 901,
      socketErrors: 2,
      refused: 7,
    });
  });

  it("is refused when the line is missing", () => {
    expect(() => parseOutcome("unable to connect\n")).toThrow("unable to connect");
  });
});

it("a request is a line with tabs: method, path, size of the body, names and values of headers", () => {
  const headers = { "x-user-id": "a b", "x-other": "c" };
  expect(lineOf({ method: "POST", path: "/a", bodyBytes: 12, headers })).toBe(
    "POST\t/a\t12\tx-user-id\ta b\tx-other\tc",
  );
});

describe("the pause before requests", () => {
  it("and the time to an answer together make the rate", () => {
    expect(delayFor(1_000, 48, 8)).toBe(40);
  });

  it("is never 0, which would mean: as fast as possible", () => {
    expect(delayFor(1_000_000, 1)).toBe(1);
  });
});
