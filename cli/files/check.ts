/** What JSON and YAML let pass and a configuration must not have; the same as `scanJson` finds in a document. */
import type { Member } from "./part.ts";
import { locationOf, type Place } from "./place.ts";
import type { Problem } from "./problems.ts";

/** A string that UTF-8 can hold. */
export function checkString(value: string, at: Place, problems: Problem[]): void {
  if (!value.isWellFormed()) problems.push({ detail: "half a surrogate pair, which is no Unicode character", at });
}

/** Adds a member unless its name is forbidden or taken. */
export function addMember(members: Map<string, Member>, name: string, member: Member, problems: Problem[]): void {
  const first = members.get(name)?.key;
  const at = member.key;
  if (name === "__proto__") problems.push({ detail: "the name __proto__ is not allowed", at });
  else if (first === undefined) members.set(name, member);
  else {
    const { line, column } = locationOf(first);
    problems.push({
      detail: `the name ${JSON.stringify(name)} stands in this object already, in ${line}:${column}`,
      at,
    });
  }
}
