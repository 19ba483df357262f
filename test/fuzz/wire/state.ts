/** What hostile input must leave as it is. */
import type { Gateway } from "../../support/gateway.ts";

interface AuditPage {
  readonly entries: readonly { readonly role: string; readonly target: string; readonly status: number }[];
  readonly next: number;
}

/** Everything that only an admin may change. */
const calls = ["/v1/config", "/v1/config/revisions", "/v1/services", "/v1/breakers"];

/** Reports, each time it is called, what is not as it was the time before: the calls' answers, and writes that were let through. */
export async function watchState(gateway: Pick<Gateway, "admin">): Promise<() => Promise<string[]>> {
  let since = 0;
  const writes = async (): Promise<string[]> => {
    const made: string[] = [];
    for (;;) {
      const { entries, next } = (await (await gateway.admin(`/v1/audit?since=${since}`)).json()) as AuditPage;
      // Those of a weaker role are kept too.
      const through = entries.filter(({ status }) => status < 400);
      made.push(...through.map(({ role, target }) => `changed: /v1/audit: ${target} by ${role}`));
      since = next;
      if (entries.length === 0) return made;
    }
  };
  const answers = async (): Promise<readonly string[]> =>
    Promise.all(
      calls.map(async (call) => {
        const response = await gateway.admin(call);
        return `${response.headers.get("etag")} ${await response.text()}`;
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
