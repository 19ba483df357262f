/** The one call of isolates: what they saw, what they may try, and what everybody decides on. */
import { bounds } from "../../bounds.ts";
import type { Book } from "./book.ts";
import { close, judge } from "./breaker.ts";
import { grantConcurrency } from "./bulkhead.ts";
import { cellsOf, counted } from "./cells.ts";
import type { Change } from "./change.ts";
import { doDue } from "./due.ts";
import { isFirst, nextReportMs } from "./isolates.ts";
import { countOrigin, ejectedMax, giveBackNow } from "./outlier.ts";
import { closeIfProven, grant, settle } from "./probes.ts";
import type { BreakerSettings, Cell, HealthEvent, HealthReply, HealthReport, HealthSettings } from "./types.ts";
import { breakerFor } from "./versions.ts";
import { publishedOf } from "./view.ts";

export interface Reported {
  readonly reply: HealthReply;
  readonly events: readonly HealthEvent[];
  /** The row must be stored before the reply leaves; if that fails, throw the book away. */
  readonly changed: boolean;
}

/**
 * Takes a report and answers it. A repeated or late one is answered, but neither counts nor is granted anything: what the
 * first one was granted may be in use.
 */
export function report(book: Book, from: HealthReport, nowMs: number, random: () => number): Reported {
  const change = doDue(book, nowMs);
  const first = isFirst(book, from.isolate, from.seq, nowMs);
  adopt(book, from.settings, nowMs, change);
  if (first) {
    settleAll(book, from, nowMs, random, change);
    countAll(book, from, nowMs, random, change);
  }
  const probes = first ? grantAll(book, from, nowMs, change) : [];
  const concurrency = first ? concurrencyFor(book, from, nowMs, change) : null;
  book.revision += change.shown;
  const isolates = book.isolates.size;
  const reply: HealthReply = {
    ...publishedOf(book, nowMs),
    seq: from.seq,
    probes,
    concurrency,
    isolates,
    nextReportMs: nextReportMs(isolates),
  };
  return { reply, events: change.events, changed: change.changed };
}

/** Only for the newest report of an isolate: a late one tells of what the isolate no longer has. */
function concurrencyFor(book: Book, from: HealthReport, nowMs: number, change: Change): HealthReply["concurrency"] {
  const max = book.settings.maxConcurrent;
  if (max === 0 || from.concurrency === null) return null;
  if (nowMs + bounds.concurrencyTtlMs > book.leasesUntilMs) {
    book.leasesUntilMs = nowMs + bounds.concurrencyTtlMs + bounds.concurrencyStoreMs;
    change.changed = true;
  }
  return grantConcurrency(book.bulkhead, from.isolate, from.concurrency, max, nowMs);
}

/** Settings of a revision that is not lower than the known one. Without a breaker, or ejections, what was out comes back. */
function adopt(book: Book, settings: HealthSettings, nowMs: number, change: Change): void {
  const known = book.settings;
  const isNew = Number.isSafeInteger(settings.revision) && settings.revision >= known.revision;
  if (!isNew || JSON.stringify(known) === JSON.stringify(settings)) return;
  book.settings = settings;
  change.changed = true;
  for (const breaker of book.breakers.values()) {
    if (settings.breaker !== null) closeIfProven(breaker, settings.breaker, nowMs, change);
    else if (breaker.forced === "auto" && breaker.state !== "closed") close(breaker, 0, nowMs, change);
  }
  const { outlier } = settings;
  if (outlier === null || ejectedMax(outlier, 1) === 0) {
    giveBackNow(book.origins, book.origins.keys(), "settings", nowMs, change);
  }
}

function settleAll(book: Book, from: HealthReport, nowMs: number, random: () => number, change: Change): void {
  const settings = book.settings.breaker;
  if (settings === null) return;
  for (const probe of from.probes.slice(0, bounds.healthItemsPerReportMax)) {
    const breaker = book.breakers.get(probe.version);
    if (breaker !== undefined) settle(breaker, settings, probe, nowMs, random, change);
  }
}

function countAll(book: Book, from: HealthReport, nowMs: number, random: () => number, change: Change): void {
  const { breaker, outlier } = book.settings;
  const cells = cellsOf(from.cells);
  if (breaker !== null) countVersions(book, breaker, cells, nowMs, random, change);
  if (outlier === null) return;
  const origins = Math.min(bounds.healthOriginsMax, counted(from.origins));
  for (const cell of cells) countOrigin(book.origins, cell, outlier, origins, nowMs, random, change);
}

/** All cells of a version together, so that their order within the report does not matter. */
function countVersions(
  book: Book,
  settings: BreakerSettings,
  cells: readonly Cell[],
  nowMs: number,
  random: () => number,
  change: Change,
): void {
  const byVersion = new Map<string, Cell[]>();
  for (const cell of cells) {
    const own = byVersion.get(cell.version);
    if (own === undefined) byVersion.set(cell.version, [cell]);
    else own.push(cell);
  }
  for (const [version, own] of byVersion) {
    const breaker = breakerFor(book, version, nowMs, change);
    if (breaker !== undefined) judge(breaker, settings, own, nowMs, random, change);
  }
}

function grantAll(book: Book, from: HealthReport, nowMs: number, change: Change): HealthReply["probes"] {
  const settings = book.settings.breaker;
  const probes: HealthReply["probes"][number][] = [];
  if (settings === null) return probes;
  for (const { version, probes: wanted } of from.wants.slice(0, bounds.healthItemsPerReportMax)) {
    const breaker = book.breakers.get(version);
    if (breaker === undefined) continue;
    const permits = grant(breaker, settings, wanted, nowMs, change);
    if (permits.length === 0) continue;
    const useWithinMs = bounds.probeUseMs;
    const reportWithinMs = useWithinMs + bounds.probeResultMs;
    probes.push({ version, generation: breaker.generation, permits, useWithinMs, reportWithinMs });
  }
  return probes;
}
