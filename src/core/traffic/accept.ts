/** The `version` parameter of an Accept header: `application/json;version=v2`. */

const value = /^(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[^"\\]|\\.)*")$/s;

/**
 * Value of the first non-empty `version` parameter of any media type in an Accept header (RFC 9110 12.5.1), null when
 * there is none. Tokens and quoted strings are read, names of parameters have no case, weights (`q`) are not considered
 * and what is malformed is passed over.
 */
export function acceptVersion(accept: string): string | null {
  for (let start = 0; start < accept.length; ) {
    const end = endOfPart(accept, start);
    const version = accept[start - 1] === ";" ? versionOf(accept.slice(start, end)) : "";
    if (version !== "") return version;
    start = end + 1;
  }
  return null;
}

/** Index of the next "," or ";" outside a quoted string, else of the end. */
function endOfPart(accept: string, start: number): number {
  let quoted = false;
  for (let index = start; index < accept.length; index++) {
    const character = accept[index];
    if (character === '"') quoted = !quoted;
    else if (quoted && character === "\\") index++;
    else if (!quoted && (character === "," || character === ";")) return index;
  }
  return accept.length;
}

/** Value of one parameter `version=...`; "" when it is another one or malformed. */
function versionOf(parameter: string): string {
  const text = parameter.trim();
  const name = "version=";
  if (text.slice(0, name.length).toLowerCase() !== name) return "";
  const raw = text.slice(name.length);
  if (!value.test(raw)) return "";
  return raw.startsWith('"') ? raw.slice(1, -1).replace(/\\(.)/gs, "$1") : raw;
}
