/** Compiles what a value is compared with (conditions, regular expressions, address ranges) and where a key comes from. */
import ipaddr from "ipaddr.js";
import type { Criterion, ValueSource } from "../core/facts.ts";
import { type KeySource, parseKeySource } from "../core/keys/keys.ts";
import * as regex from "../core/regex/regex.ts";
import { RegexError } from "../core/regex/types.ts";
import type { AuthoredCriterion } from "../schema/criteria.ts";
import type { DocumentPath, Problems } from "./problems.ts";

/** Decides on a text. */
export type TextTest = (text: string) => boolean;

/**
 * A regular expression over the whole text, in time linear in it (RE2 syntax: no backreferences, no look-around). What
 * RE2 cannot do is refused, so that no text of a client can make a match slow.
 */
export function compileRegex(source: string, path: DocumentPath, problems: Problems): TextTest {
  try {
    return regex.compileRegex(source);
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    const detail = error.message;
    problems.error(path, `not a regular expression of RE2, which has no backreference and no look-around: ${detail}`);
    return () => false;
  }
}

/** The conditions on one kind of value. A name that is repeated counts once, by its first entry, with a warning. */
export function compileCriteria(
  source: ValueSource,
  authored: readonly AuthoredCriterion[] | undefined,
  path: DocumentPath,
  problems: Problems,
): Criterion[] {
  if (authored === undefined) return [];
  const byName = new Map<string, Criterion>();
  for (const [index, entry] of authored.entries()) {
    const at = [...path, index];
    const name = source === "header" ? entry.name.toLowerCase() : entry.name;
    const criterion = compileCriterion(source, name, entry, at, problems);
    if (byName.has(name))
      problems.warn(at, `this ${source} is named before in the same list; this entry does not count`);
    else byName.set(name, criterion);
  }
  return [...byName.values()];
}

function compileCriterion(
  source: ValueSource,
  name: string,
  entry: AuthoredCriterion,
  path: DocumentPath,
  problems: Problems,
): Criterion {
  if (entry.regex !== undefined) {
    const test = compileRegex(entry.regex, [...path, "regex"], problems);
    return { source, name, kind: "regex", expected: entry.regex, test };
  }
  if (entry.exact !== undefined) return { source, name, kind: "exact", expected: entry.exact };
  if (entry.prefix !== undefined) return { source, name, kind: "prefix", expected: entry.prefix };
  return { source, name, kind: "present", expected: String(entry.present) };
}

/** The sources of a client key, in their order; what is none is an error and left out. `check` sees each with its place. */
export function compileKeySources(
  authored: readonly string[],
  path: DocumentPath,
  problems: Problems,
  check: (source: KeySource, at: DocumentPath) => void = () => {},
): KeySource[] {
  return authored.flatMap((text, index) => {
    const source = parseKeySource(text);
    const detail = "must be ip, path, route, global, header:<name>, cookie:<name>, query:<name> or path-param:<name>";
    if (source === null) problems.error([...path, index], detail);
    else check(source, [...path, index]);
    return source === null ? [] : [source];
  });
}

/** Addresses and CIDR ranges -> a test of a client's address. IPv4 in IPv6 form (`::ffff:10.0.0.1`) counts as IPv4. */
export function compileAddresses(authored: readonly string[], path: DocumentPath, problems: Problems): TextTest {
  const ranges = authored.flatMap((text, index) => {
    const range = rangeOf(text);
    if (range === null) problems.error([...path, index], "not an IP address or a CIDR range");
    return range === null ? [] : [range];
  });
  return (text) => {
    if (!ipaddr.isValid(text)) return false;
    const address = ipaddr.process(text);
    return ranges.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
  };
}

function rangeOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | null {
  if (ipaddr.IPv4.isValidCIDR(text) || ipaddr.IPv6.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  // Only the four-part form: `10.1` would be 10.0.0.1 to ipaddr.js, which nobody means by it.
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) return null;
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}
