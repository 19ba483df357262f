import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { migrate } from "../../durable-objects/migrate.ts";

afterEach(reset);

/** The storage of an object whose own migrations have run; `base` of them. */
const inStorage = (check: (storage: DurableObjectStorage, own: string[]) => void): Promise<void> =>
  runInDurableObject(env.SERVICE_REGISTRY.getByName("migrate"), (_, { storage }) => {
    const { applied } = storage.sql.exec<{ applied: number }>("SELECT count(*) AS applied FROM migration").one();
    check(storage, Array(applied).fill("SELECT 'never run again'"));
  });
const rows = (storage: DurableObjectStorage): unknown[] => storage.sql.exec("SELECT * FROM extra").toArray();

test("each migration runs once, in order, also when more are appended later", () =>
  inStorage((storage, own) => {
    const first = [...own, "CREATE TABLE extra (n INTEGER); INSERT INTO extra VALUES (1)"];
    migrate(storage, first);
    migrate(storage, first);
    migrate(storage, [...first, "INSERT INTO extra VALUES (2)", "INSERT INTO extra SELECT max(n) + 1 FROM extra"]);
    expect(rows(storage)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  }));

test("one that fails leaves nothing of itself, and is tried again by the next start", () =>
  inStorage((storage, own) => {
    const good = "CREATE TABLE extra (n INTEGER)";
    expect(() =>
      migrate(storage, [...own, good, "INSERT INTO extra VALUES (1); INSERT INTO none VALUES (1)"]),
    ).toThrow();
    expect(rows(storage)).toEqual([]);
    migrate(storage, [...own, good, "INSERT INTO extra VALUES (7)"]);
    expect(rows(storage)).toEqual([{ n: 7 }]);
  }));

test("a lone one that may be run again leaves no note, and is the first of two when another is appended", () =>
  runInDurableObject(env.RATE_LIMITER.getByName("migrate"), (_, { storage }) => {
    const first = "CREATE TABLE IF NOT EXISTS extra (n INTEGER)";
    for (let start = 0; start < 2; start++) migrate(storage, [first]);
    expect(() => storage.sql.exec("SELECT * FROM migration")).toThrow("no such table");
    for (let start = 0; start < 2; start++) migrate(storage, [first, "INSERT INTO extra VALUES (7)"]);
    expect(rows(storage)).toEqual([{ n: 7 }]);
    migrate(storage, [first]);
    expect(rows(storage)).toEqual([{ n: 7 }]);
  }));

test("tables that are newer than the code are left alone, with a warning", () =>
  inStorage((storage, own) => {
    migrate(storage, [...own, "CREATE TABLE extra (n INTEGER)"]);
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    migrate(storage, own);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(rows(storage)).toEqual([]);
    warn.mockRestore();
  }));
