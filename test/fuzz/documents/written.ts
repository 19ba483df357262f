/** JSON as somebody may write it: more than JSON.stringify would, so that what is wrong with a text is known from how it was made. */

/** A written value. Names and tokens are JSON text, quotes and escapes included. */
export type Written =
  | { readonly kind: "object"; readonly members: readonly (readonly [name: string, value: Written])[] }
  | { readonly kind: "array"; readonly items: readonly Written[] }
  | { readonly kind: "token"; readonly text: string }
  /** Containers in containers, the innermost empty; at least one. */
  | { readonly kind: "nest"; readonly depth: number; readonly of: "arrays" | "objects" };

/** What `scanJson` has to find, in the order of the text. */
export type Flaw = "duplicate" | "deep" | "surrogate" | "number" | "name";

/** A value as JSON.stringify would write it. */
export function writtenOf(value: unknown): Written {
  if (Array.isArray(value)) return { kind: "array", items: value.map(writtenOf) };
  if (typeof value !== "object" || value === null) return { kind: "token", text: JSON.stringify(value) };
  const members = Object.entries(value).map(([name, inner]) => [JSON.stringify(name), writtenOf(inner)] as const);
  return { kind: "object", members };
}

/** Its text; `space` stands wherever space may. */
export function textOf(value: Written, space = ""): string {
  const listed = (open: string, parts: readonly string[], close: string) =>
    parts.length === 0 ? open + close : `${open}${space}${parts.join(`${space},${space}`)}${space}${close}`;
  switch (value.kind) {
    case "token":
      return value.text;
    case "array":
      return listed(
        "[",
        value.items.map((item) => textOf(item, space)),
        "]",
      );
    case "object":
      return listed(
        "{",
        value.members.map(([name, inner]) => `${name}${space}:${space}${textOf(inner, space)}`),
        "}",
      );
    case "nest":
      return value.of === "arrays"
        ? "[".repeat(value.depth) + "]".repeat(value.depth)
        : `${'{"a":'.repeat(value.depth - 1)}{}${"}".repeat(value.depth - 1)}`;
  }
}

/** Everything that a reader must not pass over; `depthMax` containers may be open at once. */
export function flawsOf(value: Written, depthMax: number, depth = 0): Flaw[] {
  switch (value.kind) {
    case "token":
      return flawsOfToken(value.text);
    case "nest":
      return depth + value.depth > depthMax ? ["deep"] : [];
    case "array":
      return depth >= depthMax ? ["deep"] : value.items.flatMap((item) => flawsOf(item, depthMax, depth + 1));
    case "object":
      return depth >= depthMax ? ["deep"] : flawsOfMembers(value.members, depthMax, depth);
  }
}

function flawsOfMembers(members: readonly (readonly [string, Written])[], depthMax: number, depth: number): Flaw[] {
  const seen: string[] = [];
  return members.flatMap(([raw, inner]) => {
    const name = JSON.parse(raw) as string;
    const flaws: Flaw[] = [];
    if (name === "__proto__") flaws.push("name");
    if (seen.includes(name)) flaws.push("duplicate");
    if (!name.isWellFormed()) flaws.push("surrogate");
    seen.push(name);
    return [...flaws, ...flawsOf(inner, depthMax, depth + 1)];
  });
}

function flawsOfToken(text: string): Flaw[] {
  const value: unknown = JSON.parse(text);
  if (typeof value === "string" && !value.isWellFormed()) return ["surrogate"];
  return typeof value === "number" && isLost(text, value) ? ["number"] : [];
}

/** Is a number no double, 0 by its size alone, or an integer that would be written back as another one? */
function isLost(text: string, value: number): boolean {
  if (value === 0) return /[1-9]/.test(text.replace(/e.*/i, ""));
  return !Number.isFinite(value) || (/^-?\d+$/.test(text) && BigInt(text) !== writtenBack(value));
}

/** The integer that JSON.stringify writes, which has an exponent if it is large. */
function writtenBack(value: number): bigint {
  const [digits = "", exponent = "0"] = String(value).split("e+");
  const [whole = "", fraction = ""] = digits.split(".");
  return BigInt(whole + fraction) * 10n ** BigInt(Number(exponent) - fraction.length);
}

/** What a text says; undefined: it is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
