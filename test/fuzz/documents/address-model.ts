/**
 * Which addresses are public, by the registries of special-purpose addresses (IANA, RFC 6890) and without the library that the
 * gateway uses. A special range is not public, whatever else is routed to it.
 */

/** First address and prefix length. */
const special4: readonly (readonly [string, number])[] = [
  ...([
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
  ] as const),
  ...([
    ["172.16.0.0", 12],
    ["192.0.0.0", 24],
    ["192.0.2.0", 24],
    ["192.31.196.0", 24],
    ["192.52.193.0", 24],
  ] as const),
  ...([
    ["192.88.99.0", 24],
    ["192.168.0.0", 16],
    ["192.175.48.0", 24],
    ["198.18.0.0", 15],
    ["198.51.100.0", 24],
  ] as const),
  ...([
    ["203.0.113.0", 24],
    ["224.0.0.0", 4],
    ["240.0.0.0", 4],
  ] as const),
];
/** Within 2000::/3, outside of which nothing is public. */
const special6: readonly (readonly [string, number])[] = [
  ...([
    ["2001::", 23],
    ["2001:db8::", 32],
    ["2002::", 16],
    ["2620:4f:8000::", 48],
    ["3fff::", 20],
  ] as const),
];
const global6 = ["2000::", 3] as const;

/** Names that only a private network resolves, and those of metadata services. */
const privateNames = ["localhost", "localdomain", "local", "internal", "home.arpa"];

/** Four numbers in dots, as the URL parser leaves an IPv4 address. */
function number4(host: string): bigint | null {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host)?.slice(1).map(Number);
  if (!parts?.every((part) => part < 256)) return null;
  return BigInt(parts.reduce((sum, part) => sum * 256 + part, 0));
}

/** Groups in colons, "::" once at most, as the URL parser leaves an IPv6 address in its brackets. */
function number6(text: string): bigint {
  const [left = "", right] = text.split("::");
  const groupsOf = (side: string) => (side === "" ? [] : side.split(":"));
  const ends = groupsOf(right ?? "");
  const starts = groupsOf(left);
  const zeros = right === undefined ? [] : Array<string>(8 - starts.length - ends.length).fill("0");
  return [...starts, ...zeros, ...ends].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

const isWithin = (address: bigint, first: bigint, prefix: number, bits: number) =>
  address >> BigInt(bits - prefix) === first >> BigInt(bits - prefix);

/** May an origin be at a host, as the URL parser gives it? */
export function isPublicHost(hostname: string): boolean {
  if (hostname.startsWith("[")) {
    const address = number6(hostname.slice(1, -1));
    const isIn = ([first, prefix]: readonly [string, number]) => isWithin(address, number6(first), prefix, 128);
    return isIn(global6) && !special6.some(isIn);
  }
  const name = hostname.replace(/\.+$/, "");
  const address = number4(URL.parse(`http://${name}`)?.hostname ?? "");
  if (address !== null) return !special4.some(([first, prefix]) => isWithin(address, number4(first)!, prefix, 32));
  return name.includes(".") && !privateNames.some((some) => `.${name}`.endsWith(`.${some}`));
}
