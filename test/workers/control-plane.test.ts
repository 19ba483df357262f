import { evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";
import type { ApplyRequest, ControlPlane, PublishedEvent } from "../../durable-objects/control-plane.ts";
import { bounds } from "../../src/bounds.ts";
import { sha256Hex } from "../../src/digest.ts";

afterEach(() => reset());

const plane = () => env.CONTROL_PLANE.getByName("control-plane");
const apply = (document: unknown, rest: Partial<ApplyRequest> = {}) =>
  plane().apply({
    text: typeof document === "string" ? document : JSON.stringify(document),
    ifRevision: null,
    dryRun: false,
    author: "admin",
    note: null,
    ...rest,
  });
const publish = (service: string, revision: number, body = `{"service":"${service}","revision":${revision}}`) =>
  plane().publish({ section: `origins/${service}`, revision, body });
const manifestNow = async () => {
  const manifest = await plane().manifest(-1);
  if (!manifest) throw new Error("no manifest");
  return manifest;
};

/** Rows of the tables, as they are stored. */
const rows = <T extends Record<string, SqlStorageValue>>(query: string): Promise<T[]> =>
  runInDurableObject(plane(), (_: ControlPlane, state) => state.storage.sql.exec<T>(query).toArray());
const blobs = async () =>
  (await rows<{ hash: string }>("SELECT DISTINCT hash FROM blob ORDER BY hash")).map(({ hash }) => hash);
/** Every blob is used and every use has its blob. */
async function expectNoOrphans(): Promise<void> {
  const used = await rows<{ hash: string }>("SELECT hash FROM section UNION SELECT hash FROM revision ORDER BY hash");
  expect(await blobs()).toEqual(used.map(({ hash }) => hash));
}

describe("a new control plane", () => {
  test("has no configuration and an empty manifest", async () => {
    expect(await plane().current()).toBeNull();
    expect(await manifestNow()).toEqual({ version: 0, revision: 0, sections: {} });
    expect(await plane().manifest(0)).toBeNull();
    expect(await plane().sections(["x"])).toEqual({});
  });
});

describe("apply", () => {
  test("makes revision 1 of the first document, even of an empty one", async () => {
    const text = "{}";
    const hash = await sha256Hex(text);
    expect(await apply(text)).toMatchObject({ ok: true, revision: 1, hash });
    expect(await plane().current()).toMatchObject({ revision: 1, hash, text });
    expect(await manifestNow()).toEqual({ version: 1, revision: 1, sections: { config: hash } });
  });
  test("keeps author, note and time", async () => {
    await apply({}, { author: "admin", note: "first" });
    const [row] = await rows("SELECT * FROM revision");
    expect(row).toMatchObject({ number: 1, author: "admin", note: "first" });
    expect(Math.abs(Date.now() - Number(row?.time_ms))).toBeLessThan(5_000);
  });
  test("C5: compares and swaps", async () => {
    expect(await apply({ a: 1 }, { ifRevision: 1 })).toEqual({ ok: false, code: "revision_conflict", revision: 0 });
    expect(await apply({ a: 1 }, { ifRevision: 0 })).toMatchObject({ ok: true, revision: 1 });
    expect(await apply({ a: 2 }, { ifRevision: 0 })).toEqual({ ok: false, code: "revision_conflict", revision: 1 });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => apply({ b: index }, { ifRevision: 1 })));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await manifestNow()).toMatchObject({ version: 2, revision: 2 });
  });
  test("makes nothing of a document that says the same", async () => {
    await apply('{"a":1,"b":2}');
    expect(await apply('{ "b": 2, "a": 1 }')).toMatchObject({
      ok: true,
      revision: 1,
      hash: await sha256Hex('{"a":1,"b":2}'),
    });
    expect(await plane().manifest(1)).toBeNull();
    await expectNoOrphans();
  });
  test("as a dry run stores nothing", async () => {
    await apply({ a: 1 });
    const answer = await apply({ a: 2 }, { dryRun: true });
    expect(answer).toMatchObject({ ok: true, revision: 2, hash: await sha256Hex('{"a":2}') });
    expect(JSON.parse(answer.ok ? answer.diff : "")).toEqual({
      changes: [{ op: "replace", path: "/a", from: 1, to: 2 }],
      truncated: false,
    });
    expect(await plane().current()).toMatchObject({ revision: 1, text: '{"a":1}' });
    expect(await blobs()).toHaveLength(1);
  });
  test("of an old document again is a new revision that shares its blob", async () => {
    await apply({ a: 1 });
    await apply({ a: 2 });
    expect(await apply({ a: 1 })).toMatchObject({ revision: 3 });
    expect(await blobs()).toHaveLength(2);
    expect(await manifestNow()).toMatchObject({
      version: 3,
      revision: 3,
      sections: { config: await sha256Hex('{"a":1}') },
    });
  });
});

describe("the manifest", () => {
  test("is answered only to those who have another version", async () => {
    await apply({});
    const { version } = await manifestNow();
    expect(await plane().manifest(version)).toBeNull();
    expect(await plane().manifest(version - 1)).toMatchObject({ version });
    expect(await plane().manifest(version + 1)).toMatchObject({ version });
  });
  test("rises with every accepted change, whoever makes it", async () => {
    const seen: number[] = [];
    const note = async () => seen.push((await manifestNow()).version);
    for (const change of [
      () => apply({ a: 1 }),
      () => publish("x", 1),
      () => apply({ a: 2 }),
      () => publish("y", 7),
      () => publish("x", 2),
    ]) {
      await change();
      await note();
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    const { sections, revision } = await manifestNow();
    expect(Object.keys(sections).sort()).toEqual(["config", "origins/x", "origins/y"]);
    expect(revision).toBe(2);
  });
});

describe("publish", () => {
  test("takes later revisions only, so that a late call undoes nothing", async () => {
    expect(await publish("x", 5)).toEqual({ accepted: true });
    expect(await publish("x", 5, '{"other":1}')).toEqual({ accepted: false });
    expect(await publish("x", 4)).toEqual({ accepted: false });
    expect(await publish("x", 6)).toEqual({ accepted: true });
    expect(await publish("y", 1)).toEqual({ accepted: true });
    expect((await manifestNow()).sections["origins/x"]).toBe(await sha256Hex('{"service":"x","revision":6}'));
  });
  test("in any order ends with the last revision, and no blob is left over", async () => {
    await Promise.all(Array.from({ length: 30 }, (_, index) => publish("x", ((index * 7) % 30) + 1)));
    expect((await manifestNow()).sections["origins/x"]).toBe(await sha256Hex('{"service":"x","revision":30}'));
    expect(await blobs()).toHaveLength(1);
  });
  test("of a text that another section has keeps it for the other", async () => {
    await publish("x", 1, "same");
    await publish("y", 1, "same");
    await publish("x", 2, "new");
    expect(await plane().sections([await sha256Hex("same")])).toEqual({ [await sha256Hex("same")]: "same" });
    await publish("y", 2, "new");
    expect(await blobs()).toEqual([await sha256Hex("new")]);
    await publish("y", 3, "new");
    expect(await blobs()).toEqual([await sha256Hex("new")]);
  });
});

describe("events", () => {
  const eventOf = (revision: number, type = `e${revision}`): PublishedEvent => ({
    revision,
    event: { time: "2031-03-10T12:00:00.000Z", service: "x", type, forMs: 5, version: null },
  });
  const publishWith = (revision: number, ...events: readonly PublishedEvent[]) =>
    plane().publish({ section: "health/x", revision, body: `{"revision":${revision}}`, events });
  const page = (since = 0, limit = 100) => plane().events({ since, limit });
  const types = async () => (await page()).events.map(({ type }) => type);

  test("come with a section, and are read in pages by id", async () => {
    expect(await page()).toEqual({ events: [], next: 0, oldest: null });
    await publishWith(2, eventOf(1), eventOf(2));
    await publishWith(3, eventOf(3));
    const first = await page(0, 2);
    expect(first).toEqual({ events: [1, 2].map((id) => ({ ...eventOf(id).event, id })), next: 2, oldest: 1 });
    expect(await page(first.next, 2)).toEqual({ events: [{ ...eventOf(3).event, id: 3 }], next: 3, oldest: 1 });
    expect(await page(3)).toEqual({ events: [], next: 3, oldest: 1 });
  });
  test("of a publication that is not accepted are not there", async () => {
    await publishWith(2, eventOf(2));
    expect(await publishWith(2, eventOf(2))).toEqual({ accepted: false });
    expect(await publishWith(1, eventOf(1))).toEqual({ accepted: false });
    expect(await types()).toEqual(["e2"]);
  });
  test("are taken once, though the publisher has not heard that they were", async () => {
    await publishWith(2, eventOf(1), eventOf(2));
    await publishWith(4, eventOf(1), eventOf(2), eventOf(3), eventOf(4, "a"), eventOf(4, "b"));
    expect(await types()).toEqual(["e1", "e2", "e3", "a", "b"]);
  });
  test("are not expected of a publisher", async () => {
    expect(await publish("x", 1)).toEqual({ accepted: true });
    expect((await page()).oldest).toBeNull();
  });
  test("are kept up to a bound, and ids are never used again", async () => {
    await runInDurableObject(plane(), (_: ControlPlane, { storage: { sql } }) => {
      for (let id = 1; id <= bounds.eventsKeptMax; id++)
        sql.exec("INSERT INTO event (json) VALUES (?)", JSON.stringify({ ...eventOf(1).event, type: `old${id}` }));
    });
    await publishWith(2, eventOf(1), eventOf(2));
    expect(await rows("SELECT count(*) AS n, min(id) AS first FROM event")).toEqual([
      { n: bounds.eventsKeptMax, first: 3 },
    ]);
    const { events, oldest } = await page(bounds.eventsKeptMax);
    expect(events.map(({ id, type }) => [id, type])).toEqual([
      [bounds.eventsKeptMax + 1, "e1"],
      [bounds.eventsKeptMax + 2, "e2"],
    ]);
    expect(oldest).toBe(3);
    expect((await page(0, bounds.eventsPerCallMax + 1)).events).toHaveLength(bounds.eventsPerCallMax);
    await rows("DELETE FROM event");
    await publishWith(3, eventOf(3));
    expect((await page()).events).toMatchObject([{ id: bounds.eventsKeptMax + 3 }]);
  });
  test("outlive the object", async () => {
    await publishWith(1, eventOf(1));
    await evictDurableObject(plane());
    expect(await types()).toEqual(["e1"]);
  });
});

describe("sections", () => {
  test("are what their hash says; those that are gone are left out", async () => {
    await publish("x", 1, "one");
    const [one, none] = [await sha256Hex("one"), await sha256Hex("none")];
    expect(await plane().sections([one, none])).toEqual({ [one]: "one" });
    await publish("x", 2, "two");
    expect(await plane().sections([one])).toEqual({});
  });
  test("are answered up to a bound", async () => {
    await publish("x", 1, "one");
    const hash = await sha256Hex("one");
    const nothing = Array.from({ length: bounds.sectionsPerCallMax }, (_, index) => `x${index}`);
    expect(await plane().sections([...nothing.slice(1), hash])).toEqual({ [hash]: "one" });
    expect(await plane().sections([...nothing, hash])).toEqual({});
  });
  const part = bounds.blobPartLengthMax;
  test.each<readonly [string, string]>([
    ["an empty text", ""],
    ["a text of one row", "a".repeat(part)],
    ["one unit more", "a".repeat(part + 1)],
    ["three rows", "b".repeat(part * 2 + 7)],
    ["a pair across the cut", `${"a".repeat(part - 1)}😀${"b".repeat(10)}`],
    ["a pair before the cut", `${"a".repeat(part - 2)}😀${"b".repeat(10)}`],
    ["nothing but pairs, across every cut", `x${"😀".repeat(part)}`],
    ["three bytes each", "€".repeat(part + 5)],
    ["NUL characters", "\u0000".repeat(10)],
  ])("come back unit by unit: %s", async (_, text) => {
    expect(await publish("x", 1, text)).toEqual({ accepted: true });
    const hash = await sha256Hex(text);
    const found = (await plane().sections([hash]))[hash];
    expect(found?.length).toBe(text.length);
    expect(found === text).toBe(true);
  });
  test("that are long leave no row behind when they are replaced", async () => {
    await publish("x", 1, "a".repeat(part * 3));
    await publish("x", 2, "b");
    expect(await rows("SELECT part FROM blob")).toEqual([{ part: 0 }]);
  });
});

describe("old revisions", () => {
  test("are deleted beyond the bound with their blobs; the newest stay", async () => {
    await apply({ n: 1 });
    // As if there had been many: one of them shares its blob with the document in force.
    await runInDurableObject(plane(), (_: ControlPlane, { storage: { sql } }) => {
      for (let number = 2; number <= bounds.revisionsKeptMax; number++) {
        sql.exec("INSERT INTO revision VALUES (?, ?, 0, 'admin', NULL)", number, `h${number}`);
        sql.exec("INSERT INTO blob VALUES (?, 0, '{}')", `h${number}`);
      }
    });
    expect(await apply({ n: 2 })).toMatchObject({ revision: bounds.revisionsKeptMax + 1 });
    expect(await rows("SELECT count(*) AS n, min(number) AS first FROM revision")).toEqual([
      { n: bounds.revisionsKeptMax, first: 2 },
    ]);
    await expectNoOrphans();
    await apply({ n: 3 });
    expect(await rows("SELECT min(number) AS first FROM revision")).toEqual([{ first: 3 }]);
    await expectNoOrphans();
  });
  test("never take the document in force with them", async () => {
    await apply({ n: 1 });
    await runInDurableObject(plane(), (_: ControlPlane, { storage: { sql } }) => {
      sql.exec("UPDATE revision SET number = 5");
      sql.exec("INSERT INTO revision SELECT ?, hash, 0, 'admin', NULL FROM revision", bounds.revisionsKeptMax + 5);
    });
    await apply({ n: 2 });
    await expectNoOrphans();
    expect(await plane().current()).toMatchObject({ text: '{"n":2}' });
  });
});

describe("the object's end", () => {
  test("loses nothing", async () => {
    await apply({ a: 1 });
    await apply({ a: 2 });
    await publish("x", 3);
    const before = [await plane().current(), await manifestNow()];
    await evictDurableObject(plane());
    expect([await plane().current(), await manifestNow()]).toEqual(before);
    expect(await publish("x", 3)).toEqual({ accepted: false });
    expect(await apply({ a: 3 }, { ifRevision: 2 })).toMatchObject({ revision: 3 });
  });
});
