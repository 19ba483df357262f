/** Backends of HTTPRoutes: a service of ours for each set of them, a version of it for each. */
import type { Draft } from "../draft.ts";
import { nameOf, newNames } from "../names.ts";
import { originUrl } from "../origins.ts";
import type { Part } from "../reader.ts";

/** URLs of backends that are not to be reached by their name in the cluster: by `namespace/name:port` or by `name`. */
export type BackendUrls = Readonly<Record<string, string>>;

/** A set of backends as a service. */
export interface BackendSet {
  readonly service: string;
  /** Version of each reference that was asked for, in its order. */
  readonly versions: readonly string[];
}

interface Backend {
  readonly id: string;
  readonly name: string;
  readonly url: string | undefined;
}

/** Gives the set for a list of references, the same one for the same backends in any order. */
export type BackendSets = (refs: readonly [Part, ...Part[]], namespace: string) => BackendSet;

export function newBackendSets(draft: Draft, urls: BackendUrls): BackendSets {
  const known = new Map<string, { service: string; versions: ReadonlyMap<string, string> }>();
  return (refs, namespace) => {
    const backends = refs.map((ref) => backendOf(ref, namespace, urls));
    const distinct = [...new Map(backends.map((backend) => [backend.id, backend])).values()];
    const key = JSON.stringify(distinct.map(({ id }) => id).sort());
    const set = known.get(key) ?? addSet(distinct, draft, refs[0]);
    known.set(key, set);
    return { service: set.service, versions: backends.map(({ id }) => set.versions.get(id) ?? "") };
  };
}

function addSet(backends: readonly Backend[], draft: Draft, at: Part) {
  const names = newNames("backend");
  const versions = new Map(backends.map(({ id, name }) => [id, names(name)]));
  const origins = backends.flatMap(({ id, url }) => {
    const version = versions.get(id) ?? "";
    return url === undefined ? [] : [{ id: version, url, version }];
  });
  return { service: draft.addService(backends.map(({ name }) => name).join("-"), { origins }, at), versions };
}

/** `http://<name>.<namespace>.svc.cluster.local:<port>`, unless the caller knows better. */
function backendOf(ref: Part, routeNamespace: string, urls: BackendUrls): Backend {
  const name = ref.get("name").text() ?? "";
  const namespace = ref.get("namespace").text() ?? routeNamespace;
  const port = ref.get("port").number() ?? 80;
  const [group, kind] = [ref.get("group").text() ?? "", ref.get("kind").text() ?? "Service"];
  const id = JSON.stringify([group, kind, namespace, name, port]);
  const given = [`${namespace}/${name}:${port}`, name].find((key) => Object.hasOwn(urls, key));
  const isService = group === "" && kind === "Service";
  if (given === undefined && !isService) {
    ref.drop(`backend of the kind ${kind}`, `Give its URL as that of ${namespace}/${name}:${port}.`);
    return { id, name: nameOf(name) || "backend", url: undefined };
  }
  const url = given === undefined ? `http://${name}.${namespace}.svc.cluster.local:${port}` : (urls[given] ?? "");
  return { id, name: nameOf(name) || "backend", url: originUrl(url, ref) };
}
