/** URLs of origins, as far as the gateway can send to them. */
import { parseOriginUrl } from "../../src/schema/origin-url.ts";
import type { Part } from "./reader.ts";

const privateHint =
  "Give it a public URL, or deploy the gateway with ALLOW_PRIVATE_ORIGINS=true where it can reach it.";

/** The URL in our form; undefined when it is none. `at` is what it was made of. */
export function originUrl(url: string, at: Part): string | undefined {
  const result = parseOriginUrl(url, { allowPrivate: true });
  if (!result.ok) {
    at.drop(`origin ${url}`, result.detail);
    return undefined;
  }
  if (!parseOriginUrl(url, { allowPrivate: false }).ok) at.remark(`origin ${result.url} is not public`, privateHint);
  return result.url;
}
