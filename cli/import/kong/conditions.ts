/** Hosts, methods and headers of a route of Kong. */
import { bounds } from "../../../src/bounds.ts";
import { HeaderName, Method } from "../../../src/schema/names.ts";
import { isHostPattern } from "../hosts.ts";
import type { Part } from "../reader.ts";
import { isExpression } from "../regex.ts";
import type { Match } from "../types.ts";

/** A condition in our words; `value` is undefined when there is none. */
export type Translated<T> = { readonly ok: true; readonly value: T | undefined } | { readonly ok: false };

/** What is left of a list; not ok when it had items and none could be said. */
export function listOf<T>(part: Part, translate: (item: Part) => T | undefined): Translated<T[]> {
  const items = part.items();
  const value = items.flatMap((item) => translate(item) ?? []);
  if (items.length > 0 && value.length === 0) return { ok: false };
  return { ok: true, value: value.length > 0 ? value : undefined };
}

/** A host; undefined, with a note, when it is none of ours. */
export function hostOf(at: Part): string | undefined {
  const text = at.text();
  if (text === undefined) return undefined;
  const [, host = "", port] = /^(.*?)(:\d+)?$/.exec(text) ?? [];
  if (!isHostPattern(host)) {
    at.drop(`host ${text}`, "Only whole names and a wildcard in front (*.example.com) are possible.");
    return undefined;
  }
  if (port !== undefined) at.remark("host with a port", "It fits requests to every port.");
  return host;
}

/** A method; undefined, with a note, when it is none. */
export function methodOf(at: Part): string | undefined {
  const text = at.text();
  if (text === undefined || Method.safeParse(text).success) return text;
  at.drop(`method ${text}`, "Not an HTTP method.");
  return undefined;
}

/** Kong compares values without case, and one of several is enough. */
export function headersOf(part: Part): Translated<NonNullable<Match["headers"]>> {
  const members = part.members();
  if (members.length > bounds.criteriaPerMatchMax) return { ok: false };
  const headers = members.map(([name, values]) => {
    const texts = values.texts();
    if (!HeaderName.safeParse(name).success || texts.length === 0) return undefined;
    const only = texts.length === 1 ? texts[0] : undefined;
    if (only !== undefined && only !== "" && !/[a-z]/i.test(only) && !only.startsWith("~*"))
      return { name, exact: only };
    const choices = texts.map((text) => (text.startsWith("~*") ? `.*(?:${text.slice(2)}).*` : escaped(text)));
    const regex = choices.length === 1 ? `(?is)${choices[0]}` : `(?is)(?:${choices.join("|")})`;
    return isExpression(regex) ? { name, regex } : undefined;
  });
  if (headers.includes(undefined)) return { ok: false };
  return { ok: true, value: headers.length > 0 ? (headers as NonNullable<Match["headers"]>) : undefined };
}

const escaped = (text: string): string => text.replace(/[.^$*+?()[\]{}|\\/-]/g, "\\$&");
