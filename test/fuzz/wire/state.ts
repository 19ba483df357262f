/** What hostile input must leave as it is. */
import type { Gateway } from "../../support/gateway.ts";

interface AuditPage {
  readonly entries: readonly { readonly role: string; readonly target: string; readonly status: number }[];
  readonly next: number;
}

interface ServiceList {
  readonly services: readonly { readonly service: string; readonly origins: readonly { readonly id: string }[] }[];
}

/** Everything that only an admin may change. */
const calls = ["/v1/config", "/v1/config/revisions", "/v1/services", "/v1/breakers"];

export interface OwnOrigin {
  readonly service: string;
  readonly origin: string;
}

/**
 * Reports, each time it is called, what is not as it was the time before: the calls' answers, and writes that were let through. Of
 * `own` and the revisions that it makes nothing is said.
 */
export async function watchState(gateway: Pick<Gateway, "admin">, own?: OwnOrigin): Promise<() => Promise<string[]>> {
  let since = 0;
  const writes = async (): Promise<string[]> => {
    const made: string[] = [];
    for (;;) {
      const { entries, next } = (await (await gateway.admin(`/v1/audit?since=${since}`)).json()) as AuditPage;
      // Those of a weaker role are kept too.
      const through = entries.filter(({ status, target }) => status < 400 && !isOwn(target));
      made.push(...through.map(({ role, target }) => `changed: /v1/audit: ${target} by ${role}`));
      since = next;
      if (entries.length === 0) return made;
    }
  };
  const isOwn = (target: string) =>
    own !== undefined && target.endsWith(`/services/${own.service}/origins/${own.origin}`);
  const answers = async (): Promise<readonly string[]> =>
    Promise.all(
      calls.map(async (call) => {
        const response = await gateway.admin(call);
        const text = await response.text();
        return `${response.headers.get("etag")} ${own !== undefined && call === "/v1/services" ? withoutOwn(text, own) : text}`;
      }),
    );
  await writes();
  let before = await answers();
  return async () => {
    const now = await answers();
    const changed = calls.flatMap((call, at) => (now[at] === before[at] ? [] : [`changed: ${call}: ${now[at]}`]));
    before = now;
    return [...changed, ...(await writes())];
  };
}

/** The list of services without the origin and its service's revision. */
function withoutOwn(text: string, { service, origin }: OwnOrigin): string {
  const list = JSON.parse(text) as ServiceList;
  const services = list.services.map((each) =>
    each.service === service
      ? { ...each, revision: null, origins: each.origins.filter(({ id }) => id !== origin) }
      : each,
  );
  return JSON.stringify({ ...list, services });
}
