/** HTTPRoutes of the Kubernetes Gateway API as a document of ours. */
import { type Draft, newDraft } from "../draft.ts";
import { newReader, type Part } from "../reader.ts";
import type { Imported } from "../types.ts";
import { type BackendSets, type BackendUrls, newBackendSets } from "./backends.ts";
import { type Gateway, hostsOf } from "./hosts.ts";
import { addRule } from "./rule.ts";

const label = "It changes nothing about requests.";
const hints: Readonly<Record<string, string>> = {
  labels: label,
  annotations: "Annotations are a controller's own.",
  gatewayClassName: label,
  tls: "Cloudflare holds the certificates of your hosts.",
  allowedRoutes: "Every route of the documents was attached.",
  sessionPersistence: "`stickyBy` of a split keeps clients on a version, `consistent-hash` of a service on an origin.",
  creationTimestamp: "Of routes that ask for the same, the first by namespace and name wins.",
  name: label,
  port: "Listeners have the ports of the platform.",
  status: label,
};

/** Translates the objects of a cluster. `urls` tells where backends are that cannot be reached by their cluster name. */
export function importGatewayApi(documents: readonly unknown[], urls: BackendUrls = {}): Imported {
  const reader = newReader(documents, (name) => (Object.hasOwn(hints, name) ? hints[name] : undefined));
  const objects = reader.roots.flatMap(objectsOf).filter(isOfGatewayApi);
  const gateways = objects.filter((part) => part.get("kind").text() === "Gateway").map(gatewayOf);
  const draft = newDraft();
  const sets = newBackendSets(draft, urls);
  const routes = objects.filter((part) => part.get("kind").text() === "HTTPRoute");
  // Between equal matches the Gateway API prefers the older route, then the first by this name; files have no ages.
  for (const route of routes.toSorted((a, b) => (fullName(a) < fullName(b) ? -1 : 1))) {
    addRoute(route, gateways, sets, draft);
  }
  for (const { part, isUsed } of gateways) {
    if (!isUsed) part.drop("Gateway without a route", "None of the documents' HTTPRoutes is attached to it.");
  }
  return { config: draft.document(), notes: reader.finish() };
}

function objectsOf(root: Part): readonly Part[] {
  return root.get("kind").value === "List" ? root.get("items").items() : [root];
}

const kinds = ["Gateway", "HTTPRoute"];
const versions = ["v1", "v1beta1", "v1alpha2"].map((version) => `gateway.networking.k8s.io/${version}`);

/** Is it an object that is translated? Others are noted as a whole. */
function isOfGatewayApi(part: Part): boolean {
  if (!part.exists) return false;
  const [kind, version] = [String(part.get("kind").value), String(part.get("apiVersion").value)];
  if (!kinds.includes(kind) || !versions.includes(version)) {
    part.drop(
      `object of the kind ${kind} (${version})`,
      "Only HTTPRoutes are translated, with the hosts of their Gateways.",
    );
    return false;
  }
  part.get("apiVersion").use();
  return true;
}

const namespaceOf = (part: Part): string => part.get("metadata").get("namespace").text() ?? "default";
const nameOf = (part: Part): string => part.get("metadata").get("name").text() ?? "route";
const fullName = (part: Part): string => `${namespaceOf(part)}/${nameOf(part)}`;
const gatewayOf = (part: Part): Gateway => ({ name: nameOf(part), namespace: namespaceOf(part), part, isUsed: false });

function addRoute(route: Part, gateways: readonly Gateway[], sets: BackendSets, draft: Draft): void {
  const namespace = namespaceOf(route);
  const hosts = hostsOf(route, namespace, gateways);
  if (hosts === null) return;
  const rules = route.get("spec").get("rules").items();
  const count = draft.routes.length;
  for (const [index, rule] of rules.entries()) {
    const suffix = rule.get("name").text() ?? String(index + 1);
    const name = rules.length > 1 || rule.get("name").exists ? `${nameOf(route)}-${suffix}` : nameOf(route);
    addRule(rule, { name, hosts, namespace, sets, draft });
  }
  const refs = [route.get("spec").get("parentRefs"), ...rules.map((rule) => rule.get("backendRefs"))].flatMap((part) =>
    part.items(),
  );
  if (refs.every((ref) => ref.get("namespace").exists)) {
    route
      .get("metadata")
      .get("namespace")
      .remark("namespace", "It orders routes that ask for the same; nothing else is in it.");
  }
  if (draft.routes.length === count) route.lose("HTTPRoute without a rule that is possible", "It was left out.");
}
