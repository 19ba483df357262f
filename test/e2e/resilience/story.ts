/** What the admin API tells of breakers and ejections: events as moments, and the state now. */
import type { Gateway } from "../../support/gateway.ts";
import { until } from "./traffic.ts";

export interface Event {
  readonly id: number;
  readonly type: string;
  readonly service: string;
  /** By the machine's clock. */
  readonly atMs: number;
  readonly [detail: string]: unknown;
}

export interface Page {
  readonly events: readonly Event[];
  readonly next: number;
  readonly oldest: number | null;
}

export interface Breaker {
  readonly version: string;
  readonly state: string;
  readonly generation: number;
  readonly forced: string;
  readonly counts: { readonly requests: number; readonly failures: number; readonly slow: number };
  readonly until: string | null;
}

/** Answer of `/v1/breakers/{service}`. */
export interface Breakers {
  readonly forced: string;
  readonly isolates: number;
  readonly breakers: readonly Breaker[];
  readonly ejected: readonly { readonly origin: string; readonly times: number }[];
}

async function json<T>(gateway: Gateway, path: string, init?: RequestInit): Promise<T> {
  const response = await gateway.admin(path, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

/** One page of the events of all services. */
export async function pageOf(gateway: Gateway, since: number, limit?: number): Promise<Page> {
  const query = `since=${since}${limit === undefined ? "" : `&limit=${limit}`}`;
  const page = await json<Page>(gateway, `/v1/events?${query}`);
  return { ...page, events: page.events.map((event) => ({ ...event, atMs: Date.parse(String(event.time)) })) };
}

/** Every event of one service so far, of one type if given, oldest first. */
export async function eventsOf(gateway: Gateway, service: string, type?: string): Promise<Event[]> {
  const all: Event[] = [];
  for (let since = 0; ; ) {
    const { events, next } = await pageOf(gateway, since, 1_000);
    if (events.length === 0) break;
    all.push(...events);
    since = next;
  }
  return all.filter((event) => event.service === service && (type === undefined || event.type === type));
}

/** The n-th event of a type, counted from 1, as soon as there is one. */
export function nthEvent(gateway: Gateway, service: string, type: string, n = 1, msMax?: number): Promise<Event> {
  const find = async () => (await eventsOf(gateway, service, type))[n - 1];
  return until(find, `${n} ${type} of ${service}`, msMax) as Promise<Event>;
}

export const breakersOf = (gateway: Gateway, service: string) => json<Breakers>(gateway, `/v1/breakers/${service}`);

/** The breaker of a version as the object has it; undefined while it knows none. */
export async function breakerOf(gateway: Gateway, service: string, version = ""): Promise<Breaker | undefined> {
  return (await breakersOf(gateway, service)).breakers.find((breaker) => breaker.version === version);
}

/** Gives an order. */
export function force(gateway: Gateway, service: string, state: string, version?: string): Promise<Breakers> {
  const body = JSON.stringify({ state, ...(version !== undefined && { version }) });
  return json<Breakers>(gateway, `/v1/breakers/${service}`, { method: "PUT", body });
}
