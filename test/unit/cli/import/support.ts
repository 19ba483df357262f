import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import type { Imported, Note } from "../../../../cli/import/index.ts";
import { redirectLocation } from "../../../../src/core/rewriting/redirect.ts";
import { matchRoute } from "../../../../src/core/routing/table.ts";
import { buildSnapshot } from "../../../../src/snapshot/view.ts";
import { configOf, decide, factsOf } from "../../snapshot/support.ts";

/** The documents of a YAML file beside the tests. */
export function fixture(name: string): unknown[] {
  const text = readFileSync(new URL(`fixtures/${name}`, import.meta.url), "utf8");
  return parseAllDocuments(text).map((document) => document.toJS());
}

/** A request as a person writes it: `POST https://host/path`, GET when no method is said. */
export interface Asked {
  readonly request: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What a split draws, from 0 to 1. */
  readonly draw?: number;
}

const variables = { ALLOW_PRIVATE_ORIGINS: "true" };

/**
 * Where the gateway sends a request: `GET http://origin/path`; `302 <location>` for a redirect; the status that it has in
 * store; null when no route fits.
 */
export function sentTo({ config }: Imported, { request, headers = {}, draw = 0 }: Asked): string | number | null {
  const [method, address] = request.includes(" ") ? (request.split(" ") as [string, string]) : ["GET", request];
  const asked = { method, headers };
  const snapshot = buildSnapshot(1, 1, configOf(config, variables), new Map());
  const route = matchRoute(snapshot.config.table, factsOf(address, asked)).match?.entry.route;
  if (route === undefined) return null;
  const url = new URL(address);
  if (route.redirect) {
    const port = url.port === "" ? null : Number(url.port);
    const scheme = url.protocol === "https:" ? "https" : "http";
    const { hostname, pathname: path, search } = url;
    return `${route.redirect.statusCode} ${redirectLocation(route.redirect, { scheme, hostname, port, path, search })}`;
  }
  const decided = decide(snapshot, address, asked, () => draw);
  const origins = config.services?.[route.service ?? ""]?.origins ?? [];
  const [origin] = origins.filter(({ id, weight }) => decided?.origins?.includes(id) && weight !== 0);
  if (origin === undefined) return route.fallback?.kind === "static" ? route.fallback.status : "no origin";
  return `${method} ${origin.url.replace(/\/$/, "")}${decided?.path}${url.search}`;
}

type Path = readonly (string | number)[];

/** Places of all texts, numbers and booleans; null and what is empty say nothing. */
export function leavesOf(value: unknown, path: Path = []): Path[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== "object") return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, item]) => leavesOf(item, [...path, key]));
}

/** Places of everything, lists and objects too, but not of the whole. */
export function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, item]) => [[...path, key], ...placesOf(item, [...path, key])]);
}

/** Places that are neither noted nor make any difference: what an importer has dropped silently. */
export function silent(translate: (documents: unknown[]) => Imported, documents: unknown[]): string[] {
  const { config, notes } = translate(documents);
  const before = JSON.stringify([config, notes]);
  return documents.flatMap((document, index) =>
    leavesOf(document)
      .filter((path) => !notes.some((note) => covers(note, index, path)))
      .filter((path) => {
        const changed = documents.with(index, replaced(document, path, different(valueAt(document, path))));
        return JSON.stringify(Object.values(translate(changed))) === before;
      })
      .map((path) => path.join("/")),
  );
}

function covers({ source }: Note, document: number, path: Path): boolean {
  return source.document === document && source.path.every((step, index) => path[index] === step);
}

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce((value, step) => (value as Record<string, unknown>)[step], root);

/** Another value of the same kind. */
function different(value: unknown): unknown {
  if (typeof value === "boolean") return !value;
  return typeof value === "number" ? value + 7 : `${value}x`;
}

/** A copy in which another value stands at a place. */
export function replaced(root: unknown, path: Path, value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const copy = structuredClone(root);
  (valueAt(copy, path.slice(0, -1)) as Record<string, unknown>)[last] = value;
  return copy;
}

/** Notes as `place: what`. */
export const listed = ({ notes }: Imported): string[] =>
  notes.map(({ source, what }) => `${source.document}/${source.path.join("/")}: ${what}`);
