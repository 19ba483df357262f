/** Lists of a CORS policy; what the gateway would refuse is noted and left out. */
import { bounds } from "../../src/bounds.ts";
import { parseCorsOrigin } from "../../src/core/cors/origin.ts";
import { HeaderName, Method } from "../../src/schema/names.ts";
import type { Part } from "./reader.ts";

const isOrigin = (text: string) => parseCorsOrigin(text).kind !== "error";
const isMethod = (text: string) => text === "*" || Method.safeParse(text).success;
const isHeader = (text: string) => HeaderName.safeParse(text).success;

export const corsOrigins = (part: Part): string[] =>
  validOf(part, isOrigin, "An origin is *, http(s)://host[:port], or has *. in front of the host.");
export const corsMethods = (part: Part): string[] => validOf(part, isMethod, "Not an HTTP method.");
export const corsHeaders = (part: Part): string[] => validOf(part, isHeader, "Not the name of a header.");

/** In seconds; nothing when it is absent. */
export function corsMaxAge(part: Part): { maxAge?: number } {
  const seconds = part.number();
  if (seconds === undefined) return {};
  const maxAge = Math.min(Math.max(0, Math.round(seconds)), bounds.corsMaxAgeSecondsMax);
  if (maxAge !== seconds) part.bend(`max age of ${seconds} seconds`, `It is ${maxAge}.`);
  return { maxAge };
}

function validOf(part: Part, isValid: (text: string) => boolean, hint: string): string[] {
  return part.items().flatMap((item) => {
    const text = item.text();
    if (text === undefined || isValid(text)) return text ?? [];
    item.drop(`${text} in a CORS policy`, hint);
    return [];
  });
}
