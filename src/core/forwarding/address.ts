/** Addresses of clients as proxies write them -> one spelling for each. */

/**
 * An IP address in its one spelling: IPv4 dotted, IPv6 in lower case with its longest run of zeros compressed (RFC 5952),
 * IPv4 in IPv6 form as IPv4. A port and brackets around IPv6 are taken off. null: not an address.
 */
export function canonicalAddress(text: string): string | null {
  const v4 = /^(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?::\d+)?$/.exec(text)?.[1];
  if (v4 !== undefined) return ipv4Groups(v4) && v4.split(".").map(Number).join(".");
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? text;
  const groups = ipv6Groups(bare);
  if (groups === null) return null;
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join(".");
  }
  return compressed(groups);
}

/** The eight groups of an IPv6 address; null: not one. A zone (`%eth0`) is not an address's. */
export function ipv6Groups(text: string): number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [front, back] = halves.map(groupsOf);
  if (!front || back === null) return null;
  if (back === undefined) return front.length === 8 ? front : null;
  const zeros = 8 - front.length - back.length;
  return zeros < 1 ? null : [...front, ...Array.from({ length: zeros }, () => 0), ...back];
}

/** Groups of a part without "::"; an IPv4 address at its end is two. */
function groupsOf(part: string): number[] | null {
  if (part === "") return [];
  const groups: number[] = [];
  const texts = part.split(":");
  for (const [index, text] of texts.entries()) {
    const v4 = index === texts.length - 1 && text.includes(".") ? ipv4Groups(text) : null;
    if (v4 !== null) groups.push(...v4);
    else if (/^[0-9a-f]{1,4}$/i.test(text)) groups.push(Number.parseInt(text, 16));
    else return null;
  }
  return groups;
}

function ipv4Groups(text: string): [number, number] | null {
  const bytes = text.split(".").map(Number);
  if (bytes.length !== 4 || !/^[\d.]+$/.test(text) || bytes.some((byte) => byte > 255)) return null;
  return [bytes[0]! * 256 + bytes[1]!, bytes[2]! * 256 + bytes[3]!];
}

function compressed(groups: readonly number[]): string {
  let [start, length] = [0, 1];
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (groups[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const texts = groups.map((group) => group.toString(16));
  if (length < 2) return texts.join(":");
  return `${texts.slice(0, start).join(":")}::${texts.slice(start + length).join(":")}`;
}
