/** What hostile input must leave as it is. */
import type { Gateway } from "../../support/gateway.ts";

/** Everything that only an admin may change, as text by its name. */
export async function stateOf(gateway: Gateway): Promise<Record<string, string>> {
  const calls = ["/v1/config", "/v1/config/revisions", "/v1/services", "/v1/breakers", "/v1/audit"];
  const texts = calls.map(async (call) => {
    const response = await gateway.admin(call);
    return [call, `${response.headers.get("etag")} ${await response.text()}`] as const;
  });
  return Object.fromEntries(await Promise.all(texts));
}
