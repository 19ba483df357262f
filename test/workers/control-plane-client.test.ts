import { afterEach, describe, expect, test, vi } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { callObject } from "../../src/clients/call.ts";
import { readSections } from "../../src/clients/control-plane.ts";
import { forEachService } from "../../src/clients/service-registry.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const failing = (marks: object) => Object.assign(new Error("broken"), marks);
/** Fails with each of these in turn, then answers. */
function answers(...errors: Error[]) {
  const call = vi.fn(async () => {
    const error = errors.shift();
    if (error) throw error;
    return "answer";
  });
  return call;
}

describe("a call to an object", () => {
  test.each<readonly [string, boolean, object, number, boolean]>([
    ["a retryable error of an idempotent call", true, { retryable: true }, 2, true],
    ["a retryable error of any other call", false, { retryable: true }, 1, false],
    ["an overloaded object", true, { retryable: true, overloaded: true }, 1, false],
    ["any other error", true, {}, 1, false],
  ])("%s", async (_, idempotent, marks, calls, answered) => {
    const call = answers(failing(marks));
    const result = callObject(idempotent, call);
    if (answered) expect(await result).toBe("answer");
    else
      await expect(result).rejects.toMatchObject({
        code: "control_plane_unavailable",
        extras: { reason: "Error: broken" },
      });
    expect(call).toHaveBeenCalledTimes(calls);
  });
  test("is made again once, not more", async () => {
    const call = answers(failing({ retryable: true }), failing({ retryable: true }));
    await expect(callObject(true, call)).rejects.toMatchObject({ code: "control_plane_unavailable" });
    expect(call).toHaveBeenCalledTimes(2);
  });
  test("that does not answer ends at the deadline", async () => {
    const wait = vi.spyOn(scheduler, "wait").mockResolvedValue();
    const result = callObject(true, () => new Promise(() => {}));
    await expect(result).rejects.toMatchObject({
      extras: { reason: expect.stringContaining(`${bounds.objectCallMsMax} ms`) },
    });
    expect(wait).toHaveBeenCalledWith(bounds.objectCallMsMax, expect.anything());
  });
});

test("sections are asked for in calls of bounded size, each on its own stub", async () => {
  const sizes: number[] = [];
  const getByName = vi.fn(() => ({
    sections: async (hashes: readonly string[]) => {
      sizes.push(hashes.length);
      return Object.fromEntries(hashes.map((hash) => [hash, `text of ${hash}`]));
    },
  }));
  const hashes = Array.from({ length: bounds.sectionsPerCallMax + 1 }, (_, index) => `h${index}`);
  const found = await readSections({ CONTROL_PLANE: { getByName } } as unknown as Env, hashes);
  expect(sizes).toEqual([bounds.sectionsPerCallMax, 1]);
  expect(found.size).toBe(hashes.length);
  expect(getByName).toHaveBeenCalledTimes(2);
});

describe("a fan-out", () => {
  test("keeps the order and the bound of calls at once", async () => {
    let open = 0;
    let most = 0;
    const results = await forEachService(
      Array.from({ length: 23 }, (_, index) => index),
      async (index) => {
        most = Math.max(most, ++open);
        await scheduler.wait(index % 3);
        open--;
        return index * 2;
      },
    );
    expect(results).toEqual(Array.from({ length: 23 }, (_, index) => index * 2));
    expect(most).toBe(bounds.objectCallsAtOnceMax);
  });
  test("of nothing is nothing", async () => {
    expect(await forEachService([], async () => 1)).toEqual([]);
  });
});
