import { expect, test } from "vitest";
import { makeRoom } from "../../../src/core/make-room.ts";

test("the entry that came first goes when there are as many as there may be, and no other", () => {
  const map = new Map([
    ["a", 1],
    ["b", 2],
  ]);
  makeRoom(map, 3);
  expect([...map.keys()]).toEqual(["a", "b"]);
  map.set("a", 3);
  makeRoom(map, 2);
  expect([...map.keys()]).toEqual(["b"]);
});
