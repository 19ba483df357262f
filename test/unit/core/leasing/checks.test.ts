import { describe, expect, test } from "vitest";
import { bounds } from "../../../../src/bounds.ts";
import type { CheckOrder } from "../../../../src/core/checking/types.ts";
import { emptyBook } from "../../../../src/core/leasing/book.ts";
import { conclude, order } from "../../../../src/core/leasing/checks.ts";
import { nextDueMs, tick } from "../../../../src/core/leasing/expiry.ts";
import { deregister, drain, register } from "../../../../src/core/leasing/leases.ts";
import { list, replay } from "../../../../src/core/leasing/listing.ts";
import { targetsOf } from "../../../../src/core/leasing/marks.ts";
import type { Book, Change, LoggedEvent } from "../../../../src/core/leasing/types.ts";
import { bookOf, checkOrder, checkSettings, eventsOf, registration, statesOf, ttlMs } from "./support.ts";

const urlOf = (id: string): string => `https://${id}.example.com`;
const fixed = [{ id: "fixed", url: urlOf("fixed") }];
const failing = -checkSettings.unhealthyAfter;
const passing = checkSettings.healthyAfter;

/** Two leased origins and a static one, checked. */
function checked(rest: Partial<CheckOrder> = {}): Book {
  const book = bookOf(2);
  order(book, checkOrder({ staticOrigins: fixed, ...rest }), 0);
  return book;
}
const fail = (book: Book, id: string, nowMs = 0): Change =>
  conclude(book, { origin: id, url: urlOf(id), run: failing }, nowMs).change;

describe("a check", () => {
  test("that reaches the threshold marks the origin, leased or static, by one event; so does the way back", () => {
    const book = checked();
    const run = (origin: string, run: number) => conclude(book, { origin, url: urlOf(origin), run }, 1);
    expect(run("o00", failing + 1)).toMatchObject({ result: true, change: { events: [] } });
    expect(eventsOf(run("o00", failing).change)).toEqual(["unhealthy o00"]);
    expect(run("o00", failing - 1)).toMatchObject({ result: false, change: { events: [] } });
    expect(eventsOf(run("fixed", failing).change)).toEqual(["unhealthy fixed"]);
    expect(list(book, 1)).toMatchObject({ revision: 5, unhealthy: ["fixed", "o00"] });
    expect(statesOf(list(book, 1).origins)).toEqual(["o00 unhealthy", "o01 ready"]);
    expect(run("o00", 1)).toMatchObject({ result: false, change: { events: [] } });
    expect(eventsOf(run("o00", passing).change)).toEqual(["healthy o00"]);
    expect(statesOf(list(book, 1).origins)).toEqual(["o00 ready", "o01 ready"]);
  });

  test.each<[string, (book: Book) => void, string, string]>([
    ["an origin that is gone", (book) => deregister(book, "o00", 0), "o00", urlOf("o00")],
    ["an origin that drains", (book) => drain(book, "o00", 1_000, 0), "o00", urlOf("o00")],
    ["an address that the origin has left", () => {}, "o00", "https://old.example.com"],
    ["an origin whose lease has just ended", (book) => tick(book, ttlMs), "o00", urlOf("o00")],
    ["one that was never there", () => {}, "none", urlOf("none")],
  ])("of %s says nothing", (_, alter, origin, url) => {
    const book = checked();
    alter(book);
    const { result, change } = conclude(book, { origin, url, run: failing }, 0);
    expect(result).toBeNull();
    expect(eventsOf(change)).toEqual([]);
  });

  test("says nothing when checks are off", () => {
    const book = bookOf(1);
    expect(conclude(book, { origin: "o00", url: urlOf("o00"), run: failing }, 0).result).toBeNull();
  });
});

describe("a mark", () => {
  test("stays through a registration at the same URL, and ends with another URL", () => {
    const book = checked();
    fail(book, "o00");
    register(book, registration("o00"), 1, "again");
    expect(statesOf(list(book, 1).origins)[0]).toBe("o00 unhealthy");
    register(book, registration("o00", { url: "https://elsewhere.example.com" }), 2, "elsewhere");
    expect(statesOf(list(book, 2).origins)[0]).toBe("o00 ready");
  });

  test.each<[string, (book: Book) => void]>([
    ["expires", (book) => tick(book, ttlMs)],
    ["is removed", (book) => deregister(book, "o00", 1)],
    ["is drained", (book) => drain(book, "o00", 0, 1)],
  ])("ends when the origin %s", (_, end) => {
    const book = checked();
    fail(book, "o00");
    end(book);
    expect(book.unhealthy.size).toBe(0);
  });

  test("does not hide that an origin is suspect or draining", () => {
    const book = bookOf(11);
    order(book, checkOrder(), 0);
    fail(book, "o00");
    fail(book, "o01");
    drain(book, "o01", 10 * ttlMs, 0);
    tick(book, ttlMs - 1);
    expect(statesOf(list(book, ttlMs - 1).origins).slice(0, 2)).toEqual(["o00 unhealthy", "o01 draining"]);
    tick(book, ttlMs);
    expect(list(book, ttlMs)).toMatchObject({ frozen: true, unhealthy: ["o00"] });
    expect(statesOf(list(book, ttlMs).origins)[0]).toBe("o00 suspect");
  });
});

describe("an order", () => {
  test("says who is checked: every lease that is not drained, and the static origins, whose ids are their own", () => {
    const book = bookOf(2);
    expect(targetsOf(book).size).toBe(0);
    drain(book, "o01", 1_000, 0);
    order(book, checkOrder({ staticOrigins: [...fixed, { id: "o00", url: "https://mine.example.com" }] }), 0);
    expect(Object.fromEntries(targetsOf(book))).toEqual({ fixed: urlOf("fixed"), o00: "https://mine.example.com" });
  });

  test("that is accepted is an event, and shown by its digest; the same again is neither", () => {
    const book = emptyBook();
    const given = checkOrder();
    const first = order(book, given, 0);
    expect(first.result).toEqual({ accepted: true });
    expect(first.change.events).toEqual([
      { revision: 1, type: "checks", origin: null, body: { digest: given.digest }, after: null },
    ]);
    expect(list(book, 0)).toMatchObject({ revision: 1, checks: given.digest });
    expect(order(book, given, 1)).toMatchObject({ result: { accepted: false }, change: { events: [] } });
  });

  test("keeps the marks of who stays where it is, and ends those of who left or moved", () => {
    const origins = ["stays", "leaves", "moves"].map((id) => ({ id, url: urlOf(id) }));
    const book = checked({ staticOrigins: origins });
    for (const id of ["o00", "stays", "leaves", "moves"]) fail(book, id);
    const now = [origins[0]!, { id: "moves", url: "https://elsewhere.example.com" }];
    const next = checkOrder({ revision: 2, staticOrigins: now, settings: { ...checkSettings, path: "/other" } });
    expect(eventsOf(order(book, next, 1).change)).toEqual(["checks", "healthy leaves", "healthy moves"]);
    expect([...book.unhealthy].sort()).toEqual(["o00", "stays"]);
  });

  test("to check nothing makes everybody healthy", () => {
    const book = checked();
    for (const id of ["o00", "fixed"]) fail(book, id);
    drain(book, "o00", 1_000, 0);
    const { change } = order(book, checkOrder({ revision: 2, settings: null }), 1);
    expect(eventsOf(change)).toEqual(["checks", "healthy o00", "healthy fixed"]);
    expect(list(book, 1)).toMatchObject({ checks: null, unhealthy: [] });
    expect(targetsOf(book).size).toBe(0);
    expect(nextDueMs(book, 1)).toBe(1_000);
  });

  test("ends a day after it was last confirmed, so that a service that is declared no more is not checked for ever", () => {
    const book = emptyBook();
    const given = checkOrder({ staticOrigins: fixed });
    order(book, given, 0);
    fail(book, "fixed");
    order(book, given, 1_000);
    order(book, checkOrder({ revision: 0 }), 2_000);
    const endMs = 1_000 + bounds.checkOrderMsMax;
    expect(nextDueMs(book, 0)).toBe(endMs);
    expect(eventsOf(tick(book, endMs - 1))).toEqual([]);
    expect(eventsOf(tick(book, endMs))).toEqual(["checks", "healthy fixed"]);
    expect(nextDueMs(book, endMs)).toBeNull();
    expect(order(book, given, endMs + 1).result, "it may come back at once").toEqual({ accepted: true });
  });
});

test("replay continues a listing with marks", () => {
  const book = checked();
  fail(book, "o00");
  fail(book, "fixed");
  const base = list(book, 0);
  const { events } = conclude(book, { origin: "o00", url: urlOf("o00"), run: passing }, 0).change;
  expect(replay(events, base)).toEqual(list(book, 0));
});

test("replay tells of every step what the listing tells", () => {
  const book = emptyBook();
  const events: LoggedEvent[] = [];
  const tell = (step: string, { events: happened }: Change, nowMs = 0) => {
    events.push(...happened);
    const { origins, ...whole } = list(book, nowMs);
    const told = replay(events);
    expect(told, step).toMatchObject(whole);
    expect(statesOf(told.origins), step).toEqual(statesOf(origins));
  };
  const elsewhere = { url: "https://elsewhere.example.com" };
  tell("an order", order(book, checkOrder({ staticOrigins: fixed }), 0).change);
  for (const id of ["o03", "o02", "o01", "o00"]) tell(id, register(book, registration(id), 0, id).change);
  for (const id of ["o03", "fixed", "o01", "o00", "o02"]) tell(`${id} fails`, fail(book, id));
  tell("the same URL", register(book, registration("o00"), 0, "again").change);
  tell("another URL", register(book, registration("o01", elsewhere), 0, "again").change);
  expect(list(book, 0).unhealthy).toEqual(["fixed", "o00", "o02", "o03"]);
  tell("removed", deregister(book, "o00", 0).change);
  tell("drained", drain(book, "o02", 0, 0).change);
  tell("drained", tick(book, 0));
  expect(list(book, 0).unhealthy).toEqual(["fixed", "o03"]);
  tell("expired", tick(book, ttlMs), ttlMs);
  expect(list(book, ttlMs).unhealthy).toEqual(["fixed"]);
  for (let n = 0; n < 10; n++) tell("more", register(book, registration(`p${n}`), ttlMs, `p${n}`).change, ttlMs);
  tell("frozen", tick(book, 2 * ttlMs), 2 * ttlMs);
  expect(book.freeze).not.toBeNull();
  for (let n = 0; n < 10; n++) tell("gone", deregister(book, `p${n}`, 2 * ttlMs).change, 2 * ttlMs);
  tell("thawed", tick(book, 2 * ttlMs), 2 * ttlMs);
  expect(book.freeze).toBeNull();
});
