/** An OpenAPI 3.0 or 3.1 document as a document of ours: a route for each operation. */
import { type Draft, newDraft } from "../draft.ts";
import { newReader, type Part } from "../reader.ts";
import type { Imported } from "../types.ts";
import { pathMatch } from "./path.ts";
import { type Backends, newBackends } from "./server.ts";

const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

const documentation = "It describes the API and changes nothing about routing.";
const inward = "The service sends these requests; nothing comes in by them.";
const hints: Readonly<Record<string, string>> = {
  info: documentation,
  description: documentation,
  summary: documentation,
  tags: documentation,
  externalDocs: documentation,
  responses: documentation,
  components: documentation,
  version: documentation,
  termsOfService: documentation,
  contact: documentation,
  license: documentation,
  jsonSchemaDialect: documentation,
  parameters: "Parameters and bodies are not validated.",
  requestBody: "Parameters and bodies are not validated.",
  security: "Credentials are passed on; the service has to check them.",
  callbacks: inward,
  webhooks: inward,
  deprecated: "`versions` of a service says so of a whole version.",
};

const hintOf = (name: string): string | undefined => {
  if (name.startsWith("x-")) return "An extension is for the tool that it is made for.";
  return Object.hasOwn(hints, name) ? hints[name] : undefined;
};

/** Translates the documents, one service each. `baseUrl`: what relative server URLs are relative to. */
export function importOpenApi(documents: readonly unknown[], baseUrl?: string): Imported {
  const reader = newReader(documents, hintOf);
  const draft = newDraft();
  for (const root of reader.roots) addDocument(root, draft, baseUrl);
  return { config: draft.document(), notes: reader.finish() };
}

interface Scope {
  readonly root: Part;
  readonly draft: Draft;
  readonly backends: Backends;
}

function addDocument(root: Part, draft: Draft, baseUrl: string | undefined): void {
  const version = String(root.get("openapi").value);
  if (!/^3\.[01]\.[0-9]+$/.test(version)) {
    root.drop("document that is not OpenAPI 3.0 or 3.1", "Convert it first.");
    return;
  }
  root.get("openapi").use();
  const scope = { root, draft, backends: newBackends(draft, baseUrl) };
  const paths = root.get("paths").members();
  for (const [path, item] of paths) {
    if (path.startsWith("/")) addPath(path, item, scope);
  }
}

function addPath(path: string, written: Part, scope: Scope): void {
  const item = resolved(written, scope.root);
  if (item === undefined) return;
  for (const method of methods) {
    const operation = item.get(method);
    if (operation.exists) addOperation(path, method, item, operation, scope);
  }
}

/** A path item may be a reference into the same document. */
function resolved(item: Part, root: Part): Part | undefined {
  const reference = item.get("$ref");
  const text = reference.text();
  if (text === undefined) return item;
  const steps = text.startsWith("#/") ? text.slice(2).split("/") : [];
  const unescaped = steps.map((step) => decoded(step).replaceAll("~1", "/").replaceAll("~0", "~"));
  const target = unescaped.reduce((part, step) => part.get(step), root);
  if (unescaped.length > 0 && target.exists && !target.get("$ref").exists) return target;
  reference.drop(`path in ${text}`, "Only paths of the same document are read.");
  return undefined;
}

/** Percent-decoded, unless it cannot be. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function addOperation(path: string, method: string, item: Part, operation: Part, scope: Scope): void {
  const { root, draft, backends } = scope;
  const servers = [operation, item, root].map((part) => part.get("servers")).find((part) => part.exists);
  const { service, basePath } = backends(servers ?? root.get("servers"), root.get("info").get("title"));
  const match = pathMatch(basePath + path);
  if (match === undefined) {
    operation.drop(`path ${path}`, "It has characters that no path of a request has.");
    return;
  }
  const route = { matches: [{ path: match, methods: [method.toUpperCase()] }], service };
  draft.addRoute(operation.get("operationId").text() ?? `${method}${path}`, route, operation);
}
