/** What is left after a crash, compared with what was acknowledged before it. */

import { setTimeout as wait } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { tokens } from "../support/gateway.ts";
import { briefLosses, misservedBrief } from "./brief-survivors.ts";
import { forgotten, quotas } from "./limits.ts";
import { arrivals, configOf, deathsSince, forced, originIds, registered, type Stage } from "./stage.ts";

/** Time in which a restarted gateway serves by what was acknowledged; what was not published yet is so by an alarm. */
const servesMsMax = 15_000;
/** Requests to each isolate and registered service by which every origin of it is asked: more than two rounds. */
const roundRequests = 10;

interface Listed {
  readonly revision: number;
  readonly origins: readonly { readonly id: string; readonly url: string; readonly modRevision: number }[];
}

/** Everything that is lost, in words. To be called before anything else is written; then what is there counts. */
export async function lossesOf(stage: Stage): Promise<string[]> {
  const losses = await Promise.all([
    ...[configLosses, originLosses, briefLosses, orderLosses, quotaLosses].map((losses) => losses(stage)),
  ]);
  return losses.flat();
}

async function configLosses({ gateway, books, origin }: Stage): Promise<string[]> {
  const response = await gateway.admin("/v1/config");
  const document = (await response.json()) as { services: { marked: { origins: [{ id: string }] } } };
  const number = Number(document.services?.marked.origins[0].id.slice(1));
  const revision = Number((response.headers.get("etag") ?? "").replaceAll('"', ""));
  const losses = [books.config.settle("config", { value: number, revision })];
  if (!isDeepStrictEqual(document, configOf(origin.url, number))) losses.push(`configuration ${number} is a mix`);
  for (const [revision, number] of books.revisions) {
    const kept = (await (await gateway.admin(`/v1/config/revisions/${revision}`)).json()) as { document?: unknown };
    if (!isDeepStrictEqual(kept.document, configOf(origin.url, number))) losses.push(`revision ${revision} is lost`);
  }
  books.revisions.clear();
  return losses.filter((loss) => loss !== null);
}

async function originLosses({ gateway, books }: Stage): Promise<string[]> {
  const losses: (string | null)[] = [];
  for (const service of registered) {
    const listed = (await (await gateway.admin(`/v1/services/${service}`)).json()) as Listed;
    for (const id of originIds) {
      const name = `${service}/${id}`;
      const { revision } = books.origins.entry(name);
      if (listed.revision < revision) losses.push(`registry ${service}: revision ${revision} went back`);
      const found = listed.origins?.find((origin) => origin.id === id);
      losses.push(
        books.origins.settle(name, { value: found?.url ?? "", revision: found?.modRevision ?? listed.revision }),
      );
      const leaseId = books.leases.get(name);
      if (leaseId === undefined) continue;
      const init = { method: "POST", token: tokens.registrar, body: JSON.stringify({ leaseId }) };
      const { status } = await gateway.admin(`/v1/services/${service}/origins/${id}/heartbeat`, init);
      if (status !== 200) losses.push(`lease of ${name}: a heartbeat is answered ${status}`);
    }
  }
  return losses.filter((loss) => loss !== null);
}

async function orderLosses({ gateway, books }: Stage): Promise<string[]> {
  const losses = forced.map(async (service) => {
    const found = (await (await gateway.admin(`/v1/breakers/${service}`)).json()) as {
      forced: string;
      revision: number;
    };
    return books.orders.settle(service, { value: found.forced, revision: found.revision });
  });
  return (await Promise.all(losses)).filter((loss) => loss !== null);
}

async function quotaLosses({ gateway, books, origin }: Stage): Promise<string[]> {
  const log = arrivals(origin);
  const losses: (string | null)[] = [];
  for (const name of quotas) {
    for (const [client, times] of log.get(name)!) {
      const response = await gateway.admin(`/v1/limits/${name}/header:x-client=${client}`);
      const { windows } = (await response.json()) as { windows?: readonly { readonly charged: number }[] };
      const found = { charged: windows?.[0]?.charged ?? 0, arrived: times.length, deaths: deathsSince(books, times) };
      losses.push(forgotten(name, client, found));
    }
  }
  return losses.filter((loss) => loss !== null);
}

/**
 * Waits until every isolate serves by what is possible, before any object is asked: nothing but the gateway itself may
 * wake those that had not published yet. How long that took, and what is still wrong in the end.
 */
export async function serves(stage: Stage): Promise<{ readonly tookMs: number; readonly wrong: readonly string[] }> {
  const beganMs = performance.now();
  for (;;) {
    const perIsolate = stage.gateway.urls.map((url) => misserved(stage, url));
    const wrong = (await Promise.all(perIsolate)).flat();
    const tookMs = performance.now() - beganMs;
    if (wrong.length === 0 || tookMs > servesMsMax) return { tookMs, wrong };
    await wait(100);
  }
}

async function misserved(stage: Stage, url: string): Promise<string[]> {
  const { books, origin } = stage;
  const wrong: string[] = [];
  const statusOf = async (path: string) => {
    const response = await fetch(url + path);
    await response.arrayBuffer();
    return response.status;
  };
  const numbers = books.config.possible("config");
  const served = await Promise.all(numbers.map((number) => statusOf(`/m${number}`)));
  if (served.filter((status) => status === 200).length !== 1) wrong.push(`configuration: ${numbers}: ${served}`);
  for (const service of forced) {
    const status = await statusOf(`/${service}`);
    const isPossible = books.orders.possible(service).some((order) => status === (order === "forced-open" ? 503 : 200));
    if (!isPossible) wrong.push(`${service} is ordered ${books.orders.possible(service)}, answered ${status}`);
  }
  for (const service of registered) {
    const mark = `/${service}/${new URL(url).port}`;
    const before = origin.asked.length;
    for (let sent = 0; sent < roundRequests; sent++) await statusOf(mark);
    const asked = origin.asked.slice(before).filter(({ target }) => target.endsWith(mark));
    const urls = new Set(asked.map(({ target }) => origin.url + target.slice(0, -mark.length)));
    for (const id of originIds) {
      const possible = books.origins.possible(`${service}/${id}`);
      const found = [...urls].filter((each) => each.startsWith(`${origin.url}/as/${service}/${id}/`));
      const isPossible =
        found.length === 0 ? possible.includes("") : found.length === 1 && possible.includes(found[0]!);
      if (!isPossible) wrong.push(`${service}/${id} is ${possible}, asked ${found}`);
    }
  }
  return [...wrong, ...(await misservedBrief(stage, url, statusOf))];
}
