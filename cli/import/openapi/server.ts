/** Servers of an OpenAPI document: a service for each list of them. */
import type { Draft } from "../draft.ts";
import { newNames } from "../names.ts";
import { originUrl } from "../origins.ts";
import type { Part } from "../reader.ts";

/** Who answers, and what stands in front of every path of the document: "" or "/v2". */
export interface Backend {
  readonly service: string;
  readonly basePath: string;
}

/** Gives the service of a list of servers, the same one for the same list; a new one is named by the title. */
export type Backends = (servers: Part, title: Part) => Backend;

/** A server after its variables are filled in. `origin` is null for a URL that is relative to nothing we know. */
interface Server {
  readonly at: Part;
  readonly origin: string | null;
  readonly basePath: string;
}

/** `baseUrl`: what relative URLs are relative to, the document's own address. */
export function newBackends(draft: Draft, baseUrl: string | undefined): Backends {
  const known = new Map<string, Backend>();
  return (part, title) => {
    const servers = part.items().flatMap((item) => serverOf(item, baseUrl) ?? []);
    const list = servers.length > 0 ? servers : [defaultServer(part, baseUrl)];
    const key = JSON.stringify(list.map(({ origin, basePath }) => [origin, basePath]));
    const backend = known.get(key) ?? addService(list, title, draft);
    known.set(key, backend);
    return backend;
  };
}

/** A document without servers is served from where it is. */
function defaultServer(part: Part, baseUrl: string | undefined): Server {
  const url = baseUrl === undefined ? null : URL.parse("/", baseUrl);
  if (url === null) part.drop("no server", "Give a base URL, or let origins register themselves.");
  return { at: part, origin: url === null ? null : url.origin, basePath: "" };
}

function serverOf(part: Part, baseUrl: string | undefined): Server | undefined {
  const at = part.get("url");
  const template = at.text();
  if (template === undefined) return undefined;
  const text = template.replace(/\{([^{}]*)\}/g, (_, name: string) => defaultOf(part.get("variables").get(name), name));
  const absolute = URL.parse(text);
  const url = absolute ?? URL.parse(text, baseUrl ?? "http://relative.invalid/");
  if (url === null) {
    at.drop(`server ${text}`, "Not a URL.");
    return undefined;
  }
  const isKnown = absolute !== null || baseUrl !== undefined;
  if (!isKnown) at.remark(`relative server ${text}`, "Give a base URL, or let origins register themselves.");
  return { at, origin: isKnown ? url.origin : null, basePath: url.pathname.replace(/\/+$/, "") };
}

function defaultOf(variable: Part, name: string): string {
  const value = variable.get("default").text() ?? "";
  variable.bend(`variable ${name} of a server`, `It is ${JSON.stringify(value)}, its default.`);
  return value;
}

/** The first server gets the traffic; the others are there for a person to choose. */
function addService(servers: readonly Server[], title: Part, draft: Draft): Backend {
  const basePath = servers[0]?.basePath ?? "";
  const names = newNames("server");
  const origins = servers.flatMap(({ at, origin, basePath: path }, index) => {
    if (origin === null) return [];
    if (path !== basePath) {
      at.drop("server with another base path", `The routes begin with ${basePath || "/"}, as the first server's.`);
      return [];
    }
    const url = originUrl(origin, at);
    if (url === undefined) return [];
    const id = names(new URL(url).hostname);
    if (index === 0) return [{ id, url }];
    at.remark("another server", "It has the weight 0: an alternative such as a test system gets no traffic unasked.");
    return [{ id, url, weight: 0 }];
  });
  return { service: draft.addService(title.text() ?? "api", origins.length > 0 ? { origins } : {}, title), basePath };
}
