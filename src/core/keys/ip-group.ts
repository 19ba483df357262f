import { canonicalAddress, ipv6Groups } from "../forwarding/address.ts";

/**
 * The part of a client's address that stands for the client: an IPv4 address as a whole, of an IPv6 address the /64, since
 * a household or a server has all addresses of its /64 and could otherwise spend a budget with each.
 */
export function ipGroup(ip: string): string {
  if (!ip.includes(":")) return ip;
  const groups = ipv6Groups(ip);
  const isMapped = groups?.[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  // IPv4 in IPv6 form becomes IPv4; of brackets and the like the address remains.
  if (groups === null || isMapped) {
    const address = canonicalAddress(ip);
    return address === null || address === ip ? ip : ipGroup(address);
  }
  const [a, b, c, d] = groups as [number, number, number, number];
  return `${a.toString(16)}:${b.toString(16)}:${c.toString(16)}:${d.toString(16)}::/64`;
}
