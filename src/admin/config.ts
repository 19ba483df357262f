/** `/v1/config`: the document in force, how another takes its place, and those that there were. */

import type { Context } from "hono";
import { bounds } from "../bounds.ts";
import * as controlPlane from "../clients/control-plane.ts";
import { mergePatch } from "../core/json/merge-patch.ts";
import { GatewayError } from "../errors.ts";
import { canaryDocument } from "../snapshot/canary.ts";
import { compileDocument } from "../snapshot/compile.ts";
import type { Variables } from "../snapshot/placeholders.ts";
import type { AdminApp } from "./app.ts";
import * as calls from "./config-calls.ts";
import type { AdminContext, SnapshotSource } from "./context.ts";
import { ifMatchOf } from "./openapi.ts";

/** Adds the calls to the admin app. */
export function mountConfig(app: AdminApp, snapshots: SnapshotSource): void {
  app.add(calls.getConfig, async (c) => {
    const config = await controlPlane.currentConfig(c.env);
    if (!config) throw new GatewayError("gateway_unconfigured");
    const headers = { etag: `"${config.revision}"`, "content-type": "application/json" };
    const { rejectedBy = [] } = config;
    if (rejectedBy.length > 0) c.header("sluice-rejected-by", rejectedBy.join(", "));
    return c.body(config.text, 200, headers) as never;
  });
  app.add(calls.putConfig, async (c) => {
    const { dryRun, note = null, canary = null } = c.req.valid("query");
    const ifRevision = ifMatchOf(c.req.header("if-match"));
    const write = { text: c.var.bodyText, ifRevision, dryRun: dryRun === "true", note, canary };
    return answered(c, await applyIn(c, snapshots, write));
  });
  app.add(calls.patchConfig, async (c) => {
    const { dryRun, note = null, canary = null } = c.req.valid("query");
    const ifMatch = ifMatchOf(c.req.header("if-match"));
    const patch = JSON.parse(c.var.bodyText);
    for (let tries = 1; ; tries++) {
      const current = await controlPlane.currentConfig(c.env);
      const text = JSON.stringify(mergePatch(JSON.parse(current?.text ?? "{}"), patch));
      const write = { text, ifRevision: ifMatch ?? current?.revision ?? 0, dryRun: dryRun === "true", note, canary };
      try {
        return answered(c, await applyIn(c, snapshots, write));
      } catch (error) {
        const isLost = error instanceof GatewayError && error.code === "revision_conflict";
        if (!isLost || ifMatch !== null || tries >= bounds.patchTriesMax) throw error;
      }
    }
  });
  app.add(calls.postRollback, async (c) => {
    const { revision, note } = c.req.valid("json");
    const { text } = found(revision, await controlPlane.readRevision(c.env, revision));
    const ifRevision = ifMatchOf(c.req.header("if-match"));
    // The way out of trouble is not to be barred by what may be the trouble.
    const write = {
      text,
      ifRevision,
      dryRun: false,
      note: note ?? `rollback to ${revision}`,
      canary: null,
      endsCanary: true,
    };
    return answered(c, await applyIn(c, snapshots, write));
  });
  app.add(calls.getCanary, async (c) => {
    const canary = await controlPlane.readCanary(c.env);
    if (canary === null) throw noCanary();
    const { timeMs, rejectedBy, ...rest } = canary;
    return c.json({ ...rest, since: new Date(timeMs).toISOString(), rejectedBy: [...rejectedBy] }, 200);
  });
  const endCanary = async (c: Context<AdminContext>, promote: boolean) => {
    const ended = await controlPlane.endCanary(c.env, { promote, ifRevision: ifMatchOf(c.req.header("if-match")) });
    if (ended === null) throw noCanary();
    if (!ended.ok) throw refusalOf(ended);
    await snapshots.refresh(c.env).catch(() => {});
    return answered(c, { ...ended, warnings: [] });
  };
  app.add(calls.postPromote, (c) => endCanary(c, true));
  app.add(calls.deleteCanary, (c) => endCanary(c, false));
  app.add(calls.getRevisions, async (c) => {
    const { before, limit } = c.req.valid("query");
    const revisions = await controlPlane.readRevisions(c.env, before ?? null, limit);
    const last = revisions.at(-1)?.number ?? 0;
    return c.json(
      { revisions: revisions.map(infoOf), next: revisions.length === limit && last > 1 ? last : null },
      200,
    );
  });
  app.add(calls.getRevision, async (c) => {
    const { revision } = c.req.valid("param");
    const { text, ...info } = found(revision, await controlPlane.readRevision(c.env, revision));
    return c.json({ ...infoOf(info), document: JSON.parse(text) }, 200);
  });
  app.add(calls.getDiff, async (c) => {
    const { from, to = (await controlPlane.currentConfig(c.env))?.revision ?? 0 } = c.req.valid("query");
    const result = await controlPlane.diffRevisions(c.env, from, to);
    if (!result.ok) throw unknownRevision(result.missing);
    return c.json({ from, to, ...result.diff }, 200) as never;
  });
}

/** A document that is to take the place of the one in force. */
interface Write {
  readonly text: string;
  /** The revision that it replaces; null = whichever. */
  readonly ifRevision: number | null;
  readonly dryRun: boolean;
  readonly note: string | null;
  /** Percent of the clients that get it; null: all. */
  readonly canary: number | null;
  /** Ends a canary that runs. */
  readonly endsCanary?: boolean;
}

/** Compiles the document, and applies it if it does. Throws `invalid_config`, `payload_too_large` or what `refusalOf` has. */
async function applyIn(c: Context<AdminContext>, snapshots: SnapshotSource, write: Write) {
  if (new TextEncoder().encode(write.text).length > bounds.configBytesMax) {
    throw new GatewayError("payload_too_large", {
      detail: `The document is larger than ${bounds.configBytesMax} bytes.`,
    });
  }
  const { canary, ...request } = write;
  c.set("isDryRun", write.dryRun);
  const { warnings } = compiledOr422(write.text, c.env);
  if (canary !== null) await checkBesideInForce(c.env, write.text);
  const applied = await controlPlane.applyConfig(c.env, { ...request, author: c.var.role }, canary);
  if (!applied.ok) throw refusalOf(applied);
  // This isolate follows its own change at once, the others within their snapshot's age. The change is made already:
  // if it can't be read back now, it is read with the next refresh.
  if (!write.dryRun) await snapshots.refresh(c.env).catch(() => {});
  return { ...applied, warnings };
}

function compiledOr422(text: string, env: Env) {
  const compiled = compileDocument(text, env as unknown as Variables);
  if (compiled.ok) return compiled;
  const detail = `The document has ${compiled.total} problem(s); nothing was changed.`;
  throw new GatewayError("invalid_config", { detail, errors: compiled.issues });
}

/** Isolates try a canary with parts of the document in force, and that must compile too. */
async function checkBesideInForce(env: Env, text: string): Promise<void> {
  const current = await controlPlane.currentConfig(env);
  if (current) compiledOr422(JSON.stringify(canaryDocument(JSON.parse(current.text), JSON.parse(text))), env);
}

/** What a change of the configuration comes to. */
type Applied = Awaited<ReturnType<typeof applyIn>>;

/** `unknown` in the schema stands for any JSON value, which Hono's types do not believe. */
function answered(c: Context<AdminContext>, applied: Applied): never {
  const { revision, hash, diff, warnings } = applied;
  c.header("etag", `"${revision}"`);
  return c.json({ revision, hash, ...diff, warnings }, 200) as never;
}

type Revision = Awaited<ReturnType<typeof controlPlane.readRevisions>>[number];

function infoOf({ number, hash, timeMs, author, note, rejectedBy }: Revision) {
  const isoOf = (ms: number) => new Date(ms).toISOString();
  return {
    ...{ revision: number, hash, time: isoOf(timeMs), author, note },
    rejectedBy: rejectedBy.map(({ worker, timeMs: atMs, detail }) => ({ worker, time: isoOf(atMs), detail })),
  };
}

function found<T>(revision: number, stored: T | null): T {
  if (stored === null) throw unknownRevision(revision);
  return stored;
}

function unknownRevision(revision: number): GatewayError {
  return new GatewayError("not_found", { detail: `There is no revision ${revision}, or it is not kept any more.` });
}

function noCanary(): GatewayError {
  return new GatewayError("not_found", { detail: "No canary is running." });
}

function refusalOf({ code, revision }: { readonly code: string; readonly revision: number }): GatewayError {
  if (code === "unconfigured") return new GatewayError("gateway_unconfigured");
  if (code !== "canary_running") return revisionConflict(revision);
  const detail = `Revision ${revision} is being tried: promote it or end it first.`;
  return new GatewayError("canary_running", { detail, members: { revision } });
}

/** The 412 of a compare-and-swap that lost. */
export function revisionConflict(revision: number): GatewayError {
  return new GatewayError("revision_conflict", { detail: `The revision is ${revision}.`, members: { revision } });
}
