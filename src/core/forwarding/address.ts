/** Addresses of clients as proxies write them -> one spelling for each. */

/**
 * An IP address in its one spelling: IPv4 dotted, IPv6 in lower case with its longest run of zeros compressed (RFC 5952),
 * IPv4 in IPv6 form as IPv4. A port and brackets around IPv6 are taken off. null: not an address.
 */
export function canonicalAddress(text: string): string | null {
  // Most addresses come as they should be written, and every request has one (bench/micro: canonicalAddress).
  if (isPlainIpv4(text)) return text;
  const v4 = /^([\d.]+)(?::\d+)?$/.exec(text)?.[1];
  if (v4 !== undefined) return ipv4Groups(v4) && v4.split(".").map(Number).join(".");
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? text;
  const groups = ipv6Groups(bare);
  if (groups === null) return null;
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join(".");
  }
  return compressed(groups);
}

/** Is it four numbers up to 255, without a leading zero and with nothing around them? */
function isPlainIpv4(text: string): boolean {
  let dots = 0;
  let value = -1;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit === dot && value >= 0) {
      dots += 1;
      value = -1;
    } else if (digit >= 0 && digit <= 9 && value !== 0) {
      value = Math.max(0, value) * 10 + digit;
      if (value > 255) return false;
    } else return false;
  }
  return dots === 3 && value >= 0;
}

const dot = ".".charCodeAt(0) - 48;

/** The eight groups of an IPv6 address; null: not one. A zone (`%eth0`) is not an address's. */
export function ipv6Groups(text: string): number[] | null {
  const groups: number[] = [];
  let gap = text.startsWith("::") ? 0 : -1;
  for (let at = gap < 0 ? 0 : 2; at < text.length; ) {
    const colon = text.indexOf(":", at);
    const end = colon < 0 ? text.length : colon;
    const group = hexGroup(text, at, end);
    if (group >= 0) groups.push(group);
    else {
      // An IPv4 address at the end is two groups.
      const last = ipv4Groups(text.slice(at));
      if (last === null) return null;
      groups.push(...last);
    }
    at = end + 1;
    if (at === text.length) return null;
    if (text.startsWith(":", at)) {
      if (gap >= 0) return null;
      gap = groups.length;
      at += 1;
    }
  }
  if (gap < 0) return groups.length === 8 ? groups : null;
  if (groups.length > 7) return null;
  const back = groups.splice(gap);
  while (groups.length + back.length < 8) groups.push(0);
  groups.push(...back);
  return groups;
}

/** One to four hexadecimal digits as a number; -1: something else. */
function hexGroup(text: string, from: number, to: number): number {
  if (to === from || to - from > 4) return -1;
  let group = 0;
  for (let index = from; index < to; index++) {
    const code = text.charCodeAt(index);
    const letter = (code | 0x20) - 87;
    if (code >= 48 && code <= 57) group = group * 16 + code - 48;
    else if (letter >= 10 && letter <= 15) group = group * 16 + letter;
    else return -1;
  }
  return group;
}

function ipv4Groups(text: string): [number, number] | null {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(text)) return null;
  const bytes = text.split(".").map(Number);
  if (bytes.some((byte) => byte > 255)) return null;
  return [bytes[0]! * 256 + bytes[1]!, bytes[2]! * 256 + bytes[3]!];
}

function compressed(groups: readonly number[]): string {
  let [start, length] = [0, 1];
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (groups[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  let text = "";
  for (let index = 0; index < groups.length; index++) {
    if (length > 1 && index === start) {
      text += "::";
      index += length - 1;
      continue;
    }
    if (text !== "" && !text.endsWith("::")) text += ":";
    text += groups[index]!.toString(16);
  }
  return text;
}
