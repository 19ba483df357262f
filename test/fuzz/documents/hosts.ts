/** Hosts in every spelling: addresses around the borders of special ranges, and names. */
import fc from "fast-check";

/** First addresses of ranges that are special, and some that are not. */
const bases4 = [
  ...["0.0.0.0", "10.0.0.0", "11.0.0.0", "100.64.0.0", "100.128.0.0", "100.100.100.200", "127.0.0.1", "128.0.0.0"],
  ...[
    "169.254.169.254",
    "169.255.0.0",
    "172.16.0.0",
    "172.32.0.0",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
  ],
  ...[
    "192.169.0.0",
    "198.18.0.0",
    "198.20.0.0",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
  ],
  ...["8.8.8.8", "1.1.1.1", "93.184.216.34", "192.175.48.1", "192.31.196.1", "192.52.193.1"],
].map((text) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0));

const number4 = fc.oneof(
  fc.constantFrom(...bases4),
  fc.tuple(fc.constantFrom(...bases4), fc.integer({ min: -2, max: 2 })).map(([base, by]) => (base + by) >>> 0),
  fc.nat(0xffffffff),
);

const bytesOf = (number: number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255);
const hex4 = (number: number) => `${(number >>> 16).toString(16)}:${(number & 0xffff).toString(16)}`;

/** Ways to write four bytes: inet_aton's, and the IPv6 forms that hold an IPv4 address. */
const notations4: readonly ((number: number) => string)[] = [
  (number) => bytesOf(number).join("."),
  (number) =>
    bytesOf(number)
      .map((byte) => `0x${byte.toString(16)}`)
      .join("."),
  (number) =>
    bytesOf(number)
      .map((byte) => `0${byte.toString(8)}`)
      .join("."),
  (number) =>
    bytesOf(number)
      .map((byte, at) => (at % 2 ? `0X${byte.toString(16)}` : `000${byte.toString(8)}`))
      .join("."),
  (number) => String(number),
  (number) => `0x${number.toString(16)}`,
  (number) => `0${number.toString(8)}`,
  (number) => `${number >>> 24}.${number & 0xffffff}`,
  (number) => `${number >>> 24}.${(number >>> 16) & 255}.${number & 0xffff}`,
  (number) => `${bytesOf(number).join(".")}.`,
  (number) => `${bytesOf(number).join(".")}..`,
  (number) => `0x${number.toString(16)}..`,
  (number) => String(number + 2 ** 32),
  (number) => `${bytesOf(number).join(".")}.nip.io`,
  (number) => `[::ffff:${bytesOf(number).join(".")}]`,
  (number) => `[::FFFF:${hex4(number)}]`,
  (number) => `[::${hex4(number)}]`,
  (number) => `[::ffff:0:${bytesOf(number).join(".")}]`,
  (number) => `[64:ff9b::${bytesOf(number).join(".")}]`,
  (number) => `[64:ff9b:1::${hex4(number)}]`,
  (number) => `[2002:${hex4(number)}::1]`,
  (number) => `[2001:0:${hex4(number)}::1]`,
  (number) => `[2001:0:1:2:3:4:${hex4(~number >>> 0)}]`,
  (number) => `[0:0:0:0:0:ffff:${hex4(number)}]`,
  (number) => `[fe80::5efe:${bytesOf(number).join(".")}]`,
];
const address4 = fc.tuple(fc.constantFrom(...notations4), number4).map(([write, number]) => write(number));

const groups6 = (
  "0 1 64 ff9b 100 2000 2001 2002 db8 1ff 200 20 2606 4700 2620 4f 8000 3fff fff 1000 4000 5f00 fc00 fdff " +
  "fe00 fe80 febf fec0 ff02 ffff"
).split(" ");
const address6 = fc
  .tuple(
    fc.array(fc.constantFrom(...groups6), { minLength: 0, maxLength: 8 }),
    fc.constantFrom("::", "::1", ":", "", "%25eth0", "%eth0", "::2606:1"),
  )
  .map(([groups, end]) => `[${groups.join(":")}${end}]`);

const labels = (
  "localhost LOCALHOST localdomain local internal metadata google home arpa example com a xn--bcher-kva " +
  "bücher ⓛocalhost ｌocalhost lоcalhost 127 0x7f 1 kubernetes svc cluster %6cocalhost local%00host - _a " +
  "loca\u00adlhost ı"
).split(" ");
const dots = [".", ".", ".", ".", "。", "．", "｡", "%2e", "%2E", "..", ""];
const name = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...labels), fc.constantFrom(...dots)), { minLength: 1, maxLength: 4 }),
    fc.constantFrom(...labels),
    fc.constantFrom("", "", "", ".", ".."),
  )
  .map(([parts, last, end]) => parts.flat().join("") + last + end);

/** Each character in another form that means the same to the URL parser. */
const disguises: readonly ((host: string) => string)[] = [
  ...Array<(host: string) => string>(12).fill((host) => host),
  (host) => host.replace(/[0-9]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)),
  (host) => host.replace(/[1-9]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0x242f)),
  (host) => host.replaceAll(".", "。"),
  (host) => host.replace(/[0-9a-z]/g, (character) => `%${character.charCodeAt(0).toString(16)}`),
  (host) => host.toUpperCase(),
  (host) => `${host.slice(0, 2)}\t\n${host.slice(2)}`,
  (host) => `${host.slice(0, 2)}\u00ad${host.slice(2)}`,
];

/** Hosts as a registrant may write them. */
export const hosts = fc
  .tuple(
    fc.oneof({ arbitrary: address4, weight: 4 }, { arbitrary: address6, weight: 2 }, { arbitrary: name, weight: 3 }),
    fc.constantFrom(...disguises),
  )
  .map(([host, disguise]) => disguise(host));
