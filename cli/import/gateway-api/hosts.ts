/** Which hosts a route has: its own, as far as the listeners that it is attached to have them too. */
import { isHostPattern } from "../hosts.ts";
import type { Part } from "../reader.ts";

/** A Gateway of the documents. */
export interface Gateway {
  readonly name: string;
  readonly namespace: string;
  readonly part: Part;
  /** Some route names it as its parent. */
  isUsed: boolean;
}

/** A host with its place. */
interface Host {
  readonly text: string;
  readonly part: Part;
}

/** Hosts for our route, undefined for every host; null, with a note, when the route would get no request. */
export function hostsOf(route: Part, namespace: string, gateways: readonly Gateway[]): string[] | undefined | null {
  const items = route.get("spec").get("hostnames").items();
  const own = items.flatMap((item) => hostOf(item) ?? []);
  const listened = listenedHosts(route, namespace, gateways);
  if ((items.length > 0 && own.length === 0) || listened?.length === 0) return gone(route);
  if (listened === undefined) return own.length > 0 ? textsOf(own) : undefined;
  if (items.length === 0) return textsOf(listened);
  const both = own.flatMap((host) => {
    const shared = listened.flatMap((other) => narrower(host, other) ?? []);
    if (shared.length === 0) host.part.drop(`host ${host.text}`, "No listener of its Gateway has it.");
    return shared;
  });
  return both.length > 0 ? textsOf(both) : gone(route);
}

function textsOf(hosts: readonly Host[]): string[] {
  for (const { part } of hosts) part.use();
  return [...new Set(hosts.map(({ text }) => text))];
}

function gone(route: Part): null {
  route.drop("HTTPRoute without a host in common with its Gateway", "It was left out: it got no request.");
  return null;
}

/** It is read where it decides: not when nothing has it in common. */
function hostOf(part: Part): Host | undefined {
  const text = String(part.value);
  if (isHostPattern(text)) return { text, part };
  part.drop(`host ${text}`, "Not a host name.");
  return undefined;
}

/** Hosts of the listeners; undefined for every host. */
function listenedHosts(route: Part, namespace: string, gateways: readonly Gateway[]): readonly Host[] | undefined {
  const refs = route.get("spec").get("parentRefs").items();
  const lists = refs.map((ref) => hostsOfParent(ref, namespace, gateways));
  if (lists.includes(undefined) || lists.length === 0) return undefined;
  return lists.flatMap((list) => list ?? []);
}

function hostsOfParent(ref: Part, namespace: string, gateways: readonly Gateway[]): readonly Host[] | undefined {
  const kind = ref.get("kind").text() ?? "Gateway";
  if (kind !== "Gateway") {
    ref.drop(`parent of the kind ${kind}`, "Only Gateways have listeners.");
    return [];
  }
  const name = ref.get("name").text();
  const wanted = ref.get("namespace").text() ?? namespace;
  const gateway = gateways.find((candidate) => candidate.name === name && candidate.namespace === wanted);
  if (gateway === undefined) {
    ref.bend(
      `Gateway ${wanted}/${name}`,
      "It is not among the documents, so hosts of its listeners were not looked at.",
    );
    return undefined;
  }
  gateway.isUsed = true;
  const [section, port] = [ref.get("sectionName").text(), ref.get("port").number()];
  const listeners = gateway.part
    .get("spec")
    .get("listeners")
    .items()
    .filter((listener) => section === undefined || isValue(listener.get("name"), section))
    .filter((listener) => port === undefined || isValue(listener.get("port"), port))
    .filter((listener) => ["HTTP", "HTTPS"].some((protocol) => isValue(listener.get("protocol"), protocol)));
  if (wanted !== namespace && listeners.some((listener) => !listener.get("allowedRoutes").exists)) {
    ref.bend(`Gateway ${wanted}/${name}`, "It takes no routes of another namespace; here the route gets its requests.");
  }
  const hosts = listeners.map((listener) =>
    listener.get("hostname").exists ? hostOf(listener.get("hostname")) : null,
  );
  return hosts.includes(null) ? undefined : hosts.flatMap((host) => host ?? []);
}

/** Does the part have this value? It has been read only then: another value decides nothing. */
function isValue(part: Part, value: string | number): boolean {
  if (part.value === value) part.use();
  return part.value === value;
}

/** What both cover; undefined when that is nothing. A wildcard covers one label or more. */
function narrower(a: Host, b: Host): Host | undefined {
  const found = a.text === b.text || covers(b.text, a.text) ? a : covers(a.text, b.text) ? b : undefined;
  if (found) for (const { part } of [a, b]) part.use();
  return found;
}

const covers = (wildcard: string, host: string): boolean =>
  wildcard.startsWith("*.") && host.length > wildcard.length - 1 && host.endsWith(wildcard.slice(1));
