import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { bounds } from "../../src/bounds.ts";
import { applyChanges } from "../unit/core/json/apply-changes.ts";
import { type Applied, apply, type Call, call, callWith, errorsOf, problemOf } from "./admin-support.ts";

interface Revision {
  readonly revision: number;
  readonly hash: string;
  readonly time: string;
  readonly author: string;
  readonly note: string | null;
  readonly document?: unknown;
}
interface Entry {
  readonly id: number;
  readonly [member: string]: unknown;
}

const redirecting = (hostname: string) => ({ routes: [{ name: "all", redirect: { hostname } }] });
const get = async <T>(path: string): Promise<T> => {
  const response = await call("GET", path, { role: "viewer" });
  if (response.status !== 200) throw new Error(await response.text());
  return response.json<T>();
};
const revisions = (query = "") => get<{ revisions: Revision[]; next: number | null }>(`/v1/config/revisions${query}`);
const revision = (number: number) => get<Revision>(`/v1/config/revisions/${number}`);
const diff = (query: string) => get<Applied & { from: number; to: number }>(`/v1/config/diff?${query}`);
const rollback = (body: unknown, options: Call = {}) => call("POST", "/v1/config/rollback", { ...options, body });
const patch = (body: unknown, options: Call = {}, query = "") =>
  call("PATCH", `/v1/config${query}`, { ...options, body });
const documentInForce = () => get<Record<string, unknown>>("/v1/config");
const locationNow = async () =>
  (await exports.default.fetch("https://api.example/x", { redirect: "manual" })).headers.get("location");

let count = 0;
const fresh = () => redirecting(`history-${count++}.example`);

test("without a configuration there is nothing beside which another could be tried", async () => {
  await problemOf(await call("PUT", "/v1/config?canary=10", { body: {} }), "gateway_unconfigured");
});

describe("history", () => {
  test("lists revisions, newest first, in pages that join without a gap", async () => {
    const made: number[] = [];
    for (let at = 0; at < 7; at++) made.unshift((await apply(fresh())).revision);
    const all: Revision[] = [];
    for (let next: number | null = made[0]! + 1; next !== null && all.length < made.length; ) {
      const page: Awaited<ReturnType<typeof revisions>> = await revisions(`?limit=3&before=${next}`);
      all.push(...page.revisions);
      next = page.next;
    }
    expect(all.map((one) => one.revision).slice(0, made.length)).toEqual(made);
    const { revisions: usual, next } = await revisions(`?limit=${bounds.revisionsPerPageMax}`);
    expect(usual.map((one) => one.revision)).toEqual(Array.from(usual, (_, at) => usual[0]!.revision - at));
    expect([usual.at(-1)!.revision, next]).toEqual([1, null]);
  });

  test("says who, when and why, and has the document as it was written", async () => {
    const document = fresh();
    const beforeMs = Date.now();
    const applied = await call("PUT", "/v1/config?note=because", { body: document });
    const { revision: number, hash } = await applied.json<Applied>();
    await apply(fresh());
    const one = await revision(number);
    expect(one).toMatchObject({ revision: number, hash, author: "admin", note: "because", document, rejectedBy: [] });
    expect(Date.parse(one.time)).toBeGreaterThanOrEqual(beforeMs - 1);
    expect(Date.parse(one.time)).toBeLessThanOrEqual(Date.now());
  });

  test("tells what changed between any two, in both directions, and from before the first", async () => {
    const [one, two] = [await apply({ ...fresh(), services: { a: {} } }), await apply(fresh())];
    const documents = await Promise.all([one, two].map(async (of) => (await revision(of.revision)).document));
    const there = await diff(`from=${one.revision}&to=${two.revision}`);
    const back = await diff(`from=${two.revision}&to=${one.revision}`);
    expect(applyChanges(documents[0] as never, there.changes as never)).toEqual(documents[1]);
    expect(applyChanges(documents[1] as never, back.changes as never)).toEqual(documents[0]);
    expect(await diff(`from=${one.revision}`)).toEqual(there);
    expect(await diff(`from=${two.revision}`)).toMatchObject({ changes: [], truncated: false });
    expect(applyChanges({}, (await diff(`from=0&to=${two.revision}`)).changes as never)).toEqual(documents[1]);
  });

  test("knows no revision that there is not", async () => {
    const { revision: number } = await apply(fresh());
    for (const path of [`revisions/${number + 1}`, `diff?from=${number + 1}`, `diff?from=0&to=${number + 1}`]) {
      await problemOf(await call("GET", `/v1/config/${path}`), "not_found");
    }
    await problemOf(await rollback({ revision: number + 1 }), "not_found");
    expect(await errorsOf(await call("GET", "/v1/config/revisions/0"), "invalid_request")).toHaveProperty([
      "#/revision",
    ]);
    expect(await errorsOf(await call("GET", "/v1/config/diff"), "invalid_request")).toHaveProperty(["#/from"]);
  });
});

test("a revision that isolates cannot compile says so, and so does the document in force", async () => {
  const { revision: number } = await apply(fresh());
  expect((await call("GET", "/v1/config")).headers.get("sluice-rejected-by")).toBeNull();
  for (const worker of ["w1", "w2", "w1"]) {
    await env.CONTROL_PLANE.getByName("control-plane").reject({ revision: number, worker, detail: `#/x: ${worker}` });
  }
  expect((await call("GET", "/v1/config")).headers.get("sluice-rejected-by")?.split(", ").sort()).toEqual(["w1", "w2"]);
  const { rejectedBy } = await get<{ rejectedBy: { worker: string; detail: string }[] }>(
    `/v1/config/revisions/${number}`,
  );
  expect(rejectedBy.map(({ worker, detail }) => [worker, detail]).sort()).toEqual([
    ["w1", "#/x: w1"],
    ["w2", "#/x: w2"],
  ]);
  await apply(fresh());
  expect((await call("GET", "/v1/config")).headers.get("sluice-rejected-by")).toBeNull();
});

describe("a rollback", () => {
  test("is a new revision with the old document, in force at once", async () => {
    const old = fresh();
    const { revision: number, hash } = await apply(old);
    await apply({});
    const answer = await (await rollback({ revision: number })).json<Applied>();
    expect(answer).toMatchObject({ revision: number + 2, hash });
    expect(answer.changes).toHaveLength(1);
    expect(await documentInForce()).toEqual(old);
    expect(await locationNow()).toBe(`https://${old.routes[0]!.redirect.hostname}/x`);
    expect(await revision(number + 2)).toMatchObject({ note: `rollback to ${number}`, author: "admin" });
  });
  test("to what is in force makes no revision", async () => {
    const { revision: number } = await apply(fresh());
    expect(await (await rollback({ revision: number })).json()).toMatchObject({ revision: number, changes: [] });
  });
  test("compares and swaps when asked to", async () => {
    const { revision: number } = await apply(fresh());
    await apply(fresh());
    await problemOf(
      await rollback({ revision: number }, { headers: { "if-match": `"${number}"` } }),
      "revision_conflict",
    );
    expect((await rollback({ revision: number }, { headers: { "if-match": `"${number + 1}"` } })).status).toBe(200);
  });
  test("to a document that does not compile any more is refused and changes nothing", async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of the configuration.
    const body = { services: { a: { origins: [{ id: "a", url: "${ORIGIN_A}" }] } } };
    const written = await callWith({ ORIGIN_A: "https://a.example" }, "PUT", "/v1/config", { body });
    const { revision: number } = await written.json<Applied>();
    const now = await apply(fresh());
    expect(await errorsOf(await rollback({ revision: number }), "invalid_config")).toHaveProperty([
      "#/services/a/origins/0/url",
    ]);
    expect((await revisions("?limit=1")).revisions[0]!.revision).toBe(now.revision);
  });
  test("is for admins", async () => {
    for (const role of ["viewer", "registrar"] as const) {
      await problemOf(await rollback({ revision: 1 }, { role }), "forbidden");
    }
  });
});

describe("a patch", () => {
  beforeAll(() => apply({ services: { a: {}, b: {} }, gateway: { trustedProxyHops: 1 } }));

  test("changes what it names, by RFC 7396, and is a revision like any other", async () => {
    const headers = { "content-type": "application/merge-patch+json" };
    const response = await patch(
      { services: { b: null, c: {} }, gateway: { debugHeaders: true } },
      { headers },
      "?note=c",
    );
    const answer = await response.json<Applied>();
    expect(answer.changes.map(({ op, path }) => `${op} ${path}`)).toEqual([
      "remove /services/b",
      "add /services/c",
      "add /gateway/debugHeaders",
    ]);
    expect(await documentInForce()).toEqual({
      services: { a: {}, c: {} },
      gateway: { trustedProxyHops: 1, debugHeaders: true },
    });
    expect(await revision(answer.revision)).toMatchObject({ note: "c" });
    expect(await (await patch({})).json()).toMatchObject({ revision: answer.revision, changes: [] });
  });
  test("with dryRun says what it would change, and changes nothing", async () => {
    const before = await documentInForce();
    expect(await (await patch({ services: { d: {} } }, {}, "?dryRun=true")).json()).toMatchObject({
      changes: [{ op: "add", path: "/services/d", to: {} }],
    });
    expect(await documentInForce()).toEqual(before);
  });
  test("is refused with every issue when the result does not compile", async () => {
    const before = await documentInForce();
    expect(await errorsOf(await patch({ services: { a: { surprise: 1 } } }), "invalid_config")).toEqual({
      "#/services/a/surprise": "unknown key",
    });
    expect(await documentInForce()).toEqual(before);
  });
  test("compares and swaps when asked to, and else is merged anew: none that comes at the same time is lost", async () => {
    await problemOf(await patch({ services: { x: {} } }, { headers: { "if-match": '"1"' } }), "revision_conflict");
    await apply({ services: {} });
    const names = Array.from({ length: bounds.patchTriesMax }, (_, at) => `s${at}`);
    const statuses = await Promise.all(names.map(async (name) => (await patch({ services: { [name]: {} } })).status));
    expect(statuses).toEqual(names.map(() => 200));
    expect(Object.keys((await documentInForce()).services as object).sort()).toEqual(names);
  });
});

test("a hundred writers at once: one wins each round, and the history has no gap", async () => {
  let head = (await apply(fresh())).revision;
  const first = head;
  for (let round = 0; round < 5; round++) {
    const headers = { "if-match": `"${head}"` };
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => call("PUT", "/v1/config", { body: fresh(), headers })),
    );
    const statuses = answers.map(({ status }) => status);
    expect([
      statuses.filter((status) => status === 200).length,
      statuses.filter((status) => status === 412).length,
    ]).toEqual([1, 99]);
    head += 1;
  }
  const { revisions: last } = await revisions("?limit=6");
  expect(last.map((one) => one.revision)).toEqual([5, 4, 3, 2, 1, 0].map((round) => first + round));
});

describe("the audit log", () => {
  /** Entries since an id, once there are as many as expected: they are written after the answer. */
  const entriesSince = async (since: number, expected: number): Promise<Entry[]> => {
    for (let tries = 0; ; tries++) {
      const { entries } = await get<{ entries: Entry[] }>(`/v1/audit?since=${since}&limit=1000`);
      if (entries.length >= expected || tries > 50) return entries;
      await scheduler.wait(20);
    }
  };
  const lastId = async () => {
    await scheduler.wait(100);
    return (await entriesSince(0, 0)).at(-1)?.id ?? 0;
  };

  test("has every write of a known caller, refused ones too, with who, what, when and the result", async () => {
    const since = await lastId();
    const { revision: number } = await apply(fresh());
    const headers = { "cf-connecting-ip": "192.0.2.7", "x-request-id": "mine" };
    await call("PUT", "/v1/config?note=x", { body: { surprise: 1 }, headers });
    await call("PUT", "/v1/config", { body: {}, role: "viewer" });
    await call("DELETE", "/v1/services/none/origins/x", { role: "registrar" });
    const entries = await entriesSince(since, 4);
    const some = entries.map(({ method, target, status, code, role }) => [role, method, target, status, code]);
    expect(some).toEqual([
      ["admin", "PUT", "/v1/config", 200, null],
      ["admin", "PUT", "/v1/config?note=x", 422, "invalid_config"],
      ["viewer", "PUT", "/v1/config", 403, "forbidden"],
      ["registrar", "DELETE", "/v1/services/none/origins/x", 204, null],
    ]);
    expect(entries[0]).toMatchObject({ revision: number });
    expect(entries[1]).toMatchObject({ requestId: "mine", address: "192.0.2.7", revision: null });
    for (const { time } of entries) expect(Math.abs(Date.parse(String(time)) - Date.now())).toBeLessThan(60_000);
  });
  test("cannot be kept in the dark by a parameter or a name", async () => {
    const { revision: number } = await apply(fresh());
    await apply({ services: { a: { registration: { allowedHosts: ["a.example.com"] } } } });
    const since = await lastId();
    const [role, body] = ["registrar", { url: "https://a.example.com" }] as const;
    await call("PUT", "/v1/services/a/origins/explain?dryRun=true", { role, body });
    await call("DELETE", "/v1/services/a/origins/heartbeat", { role });
    await call("DELETE", "/v1/config/canary?dryRun=true");
    await call("POST", "/v1/config/rollback?dryRun=true", { body: { revision: number } });
    expect((await entriesSince(since, 4)).map(({ target }) => target)).toEqual([
      "/v1/services/a/origins/explain?dryRun=true",
      "/v1/services/a/origins/heartbeat",
      "/v1/config/canary?dryRun=true",
      "/v1/config/rollback?dryRun=true",
    ]);
  });
  test("has no reads, questions, dry runs, heartbeats, nor what strangers try", async () => {
    const since = await lastId();
    await call("GET", "/v1/config");
    await call("PUT", "/v1/config?dryRun=true", { body: {} });
    await call("POST", "/v1/heartbeats", { body: { leases: [{ service: "a", origin: "b", leaseId: "c" }] } });
    await call("PUT", "/v1/config", { body: {}, role: null });
    await apply(fresh());
    expect((await entriesSince(since, 1)).map(({ target }) => target)).toEqual(["/v1/config"]);
  });
  test("never stops a write: what cannot be recorded is logged", async () => {
    const logged = vi.spyOn(console, "error").mockReturnValue();
    await apply({ services: { a: {} } });
    const plane = env.CONTROL_PLANE;
    const deaf = { audit: () => Promise.reject(new Error("away")) };
    const getByName = (name: string) =>
      new Proxy(plane.getByName(name), {
        get: (stub, method) => Reflect.get(deaf, method) ?? Reflect.get(stub, method),
      });
    const namespace = { getByName, idFromName: (name: string) => plane.idFromName(name) };
    const answer = await callWith({ CONTROL_PLANE: namespace }, "DELETE", "/v1/services/a/origins/x");
    expect(answer.status).toBe(204);
    for (let tries = 0; logged.mock.calls.length === 0 && tries < 50; tries++) await scheduler.wait(20);
    expect(logged.mock.calls[0]![0]).toMatchObject({ message: "not audited", target: "/v1/services/a/origins/x" });
    logged.mockRestore();
  });
});
