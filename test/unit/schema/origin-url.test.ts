import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bounds } from "../../../src/bounds.ts";
import { type OriginUrlRules, parseOriginUrl } from "../../../src/schema/origin-url.ts";

const production: OriginUrlRules = { allowPrivate: false };
const development: OriginUrlRules = { allowPrivate: true };

describe("a public origin is accepted and normalised", () => {
  test.each([
    ["https://api.example.com", "https://api.example.com"],
    ["https://api.example.com/", "https://api.example.com"],
    ["HTTPS://API.Example.COM:443", "https://api.example.com"],
    ["http://api.example.com:8080/base", "http://api.example.com:8080/base"],
    ["https://api.example.com/base/", "https://api.example.com/base"],
    ["https://api.example.com/a/../b", "https://api.example.com/b"],
    ["https://api.example.com/?", "https://api.example.com"],
    ["https://api.example.com/#", "https://api.example.com"],
    ["  https://api.example.com\n", "https://api.example.com"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["http://93.184.216.34", "http://93.184.216.34"],
    ["http://0x5db8d822", "http://93.184.216.34"],
    ["http://[2606:4700:4700::1111]:8443/x", "http://[2606:4700:4700::1111]:8443/x"],
    ["https://users.internal.example.com", "https://users.internal.example.com"],
    ["https://localhost.example.com", "https://localhost.example.com"],
    ["https://notlocal.example", "https://notlocal.example"],
    // The borders of private ranges.
    ["http://9.255.255.255", "http://9.255.255.255"],
    ["http://11.0.0.0", "http://11.0.0.0"],
    ["http://100.63.255.255", "http://100.63.255.255"],
    ["http://100.128.0.0", "http://100.128.0.0"],
    ["http://126.255.255.255", "http://126.255.255.255"],
    ["http://128.0.0.0", "http://128.0.0.0"],
    ["http://172.15.255.255", "http://172.15.255.255"],
    ["http://172.32.0.0", "http://172.32.0.0"],
    ["http://192.167.255.255", "http://192.167.255.255"],
    ["http://198.17.255.255", "http://198.17.255.255"],
    ["http://198.20.0.0", "http://198.20.0.0"],
    ["http://223.255.255.255", "http://223.255.255.255"],
  ])("%s", (text, url) => {
    expect(parseOriginUrl(text, production)).toEqual({ ok: true, url });
    expect(parseOriginUrl(url, production)).toEqual({ ok: true, url });
  });
});

const privateUrls = [
  // Loopback, in every spelling of IPv4.
  "http://127.0.0.1",
  "http://127.0.0.1:8787/path",
  "http://127.0.0.1.",
  "http://127.1",
  "http://127.255.255.254",
  "http://2130706433",
  "http://017700000001",
  "http://0177.0.0.1",
  "http://0177.0.0.01",
  "http://0x7f.1",
  "http://0x7f000001",
  "http://0x7F.0x0.0x0.0x1",
  "http://0x7f.0.1",
  "http://%31%32%37.0.0.1",
  "http://１２７.０.０.１",
  "http://127。0。0。1",
  "http://①②⑦.0.0.1",
  "http:\\\\127.0.0.1",
  "http:127.0.0.1",
  "http:///127.0.0.1",
  "http://127.0.0.1\t",
  "http://12\n7.0.0.1",
  "http://@127.0.0.1",
  // This host and this network.
  "http://0.0.0.0",
  "http://0",
  "http://0.1.2.3",
  // Private, shared and link-local.
  "http://10.0.0.1",
  "http://10.255.255.255",
  "http://167772161",
  "http://172.16.0.1",
  "http://172.31.255.255",
  "http://192.168.1.1",
  "http://0300.0250.1.1",
  "http://192.168.257",
  "http://100.64.0.1",
  "http://100.127.255.255",
  "http://169.254.169.254/latest/meta-data",
  "http://2852039166",
  "http://0xa9fea9fe",
  "http://0251.0376.0251.0376",
  "http://169.254.43518",
  "http://100.100.100.200",
  // Special purpose.
  "http://192.0.0.192",
  "http://192.0.2.1",
  "http://192.88.99.1",
  "http://198.18.0.1",
  "http://198.19.255.255",
  "http://198.51.100.1",
  "http://203.0.113.1",
  "http://224.0.0.1",
  "http://239.255.255.255",
  "http://240.0.0.1",
  "http://255.255.255.255",
  // IPv6.
  "http://[::]",
  "http://[::1]",
  "http://[0:0:0:0:0:0:0:1]",
  "http://[fc00::1]",
  "http://[fd00:ec2::254]",
  "http://[fe80::1]",
  "http://[febf::1]",
  "http://[fec0::1]",
  "http://[ff02::1]",
  "http://[100::1]",
  "http://[2001:db8::1]",
  "http://[3fff::1]",
  "http://[4000::1]",
  // IPv6 that embeds IPv4.
  "http://[::ffff:127.0.0.1]",
  "http://[::ffff:7f00:1]",
  "http://[::FFFF:a9fe:a9fe]",
  "http://[::ffff:0:127.0.0.1]",
  "http://[::127.0.0.1]",
  "http://[::7f00:1]",
  "http://[64:ff9b::127.0.0.1]",
  "http://[64:ff9b::a9fe:a9fe]",
  "http://[64:ff9b:1::a00:1]",
  "http://[2002:7f00:1::]",
  "http://[2002:a00:1::1]",
  "http://[2001:0:7f00:1::]",
  // Names.
  "http://localhost",
  "http://LOCALHOST:3000",
  "http://localhost.",
  "http://localhost..",
  "http://ⓛocalhost",
  "http://a.localhost",
  "http://localhost.localdomain",
  "http://printer.local",
  "http://kubernetes.default.svc.cluster.local",
  "http://metadata.google.internal",
  "http://metadata.google.internal.",
  "http://METADATA.GOOGLE.INTERNAL",
  "http://instance-data.ec2.internal",
  "http://router.home.arpa",
  "http://metadata",
  "http://kubernetes",
];

describe("a private address or name is refused in every spelling", () => {
  test.each(privateUrls)("%s", (text) => {
    const allowed = { allowPrivate: false, allowedHosts: [URL.parse(text)!.hostname] };
    expect(parseOriginUrl(text, production)).toEqual({
      ok: false,
      detail: "The host must be a public address or name.",
    });
    expect(parseOriginUrl(text, allowed), "allowedHosts must not lift the rule").toMatchObject({ ok: false });
    expect(parseOriginUrl(text, development)).toMatchObject({ ok: true });
  });

  test("whatever the notation of the four bytes", () => {
    const notations: readonly ((parts: readonly number[]) => string)[] = [
      (parts) => parts.join("."),
      (parts) => parts.map((part) => `0x${part.toString(16)}`).join("."),
      (parts) => parts.map((part) => `0${part.toString(8)}`).join("."),
      (parts) => String(parts.reduce((sum, part) => sum * 256 + part, 0)),
      (parts) => `[::ffff:${parts.join(".")}]`,
      (parts) => `[64:ff9b::${parts.join(".")}]`,
    ];
    const byte = fc.integer({ min: 0, max: 255 });
    const first = fc.constantFrom([127], [10], [192, 168], [169, 254], [172, 16], [0]);
    const property = fc.property(
      first,
      fc.tuple(byte, byte, byte),
      fc.constantFrom(...notations),
      (head, rest, write) => {
        const host = write([...head, ...rest].slice(0, 4));
        expect(parseOriginUrl(`http://${host}/`, production)).toMatchObject({ ok: false });
      },
    );
    fc.assert(property);
  });
});

describe("what is no URL of an origin is refused even in development", () => {
  test.each([
    ["", "not an absolute URL"],
    ["api.example.com", "not an absolute URL"],
    ["//api.example.com", "not an absolute URL"],
    ["/path", "not an absolute URL"],
    ["http://", "not an absolute URL"],
    ["http://a b.example.com", "not an absolute URL"],
    ["http://256.256.256.256", "not an absolute URL"],
    ["http://[fe80::1%25eth0]", "not an absolute URL"],
    ["http://api.example.com:99999", "not an absolute URL"],
    ["ftp://api.example.com", "http:// or https://"],
    ["file:///etc/passwd", "http:// or https://"],
    ["javascript:alert(1)", "http:// or https://"],
    ["data:text/plain,x", "http:// or https://"],
    ["ws://api.example.com", "http:// or https://"],
    ["https://user:secret@api.example.com", "credentials"],
    ["https://user@api.example.com", "credentials"],
    ["https://:secret@api.example.com", "credentials"],
    ["https://api.example.com@127.0.0.1", "credentials"],
    ["https://api.example.com/#x", "fragment"],
    ["https://127.0.0.1#@api.example.com", "fragment"],
    ["https://api.example.com/?a=1", "query"],
    [`https://api.example.com/${"x".repeat(bounds.originUrlLengthMax)}`, "at most 2048 characters"],
  ])("%s", (text, part) => {
    const result = parseOriginUrl(text, development);
    expect(result).toMatchObject({ ok: false, detail: expect.stringContaining(part) });
  });
});

describe("allowedHosts", () => {
  const rules: OriginUrlRules = {
    allowPrivate: true,
    allowedHosts: ["*.Pool.example.com", "One.example.com", "[::1]"],
  };
  test.each([
    ["https://a.pool.example.com", true],
    ["https://a.b.pool.example.com:8443/x", true],
    ["https://A.POOL.example.com.", true],
    ["https://pool.example.com", false],
    ["https://evilpool.example.com", false],
    ["https://a.pool.example.com.evil.example", false],
    ["https://one.example.com", true],
    ["https://two.one.example.com", false],
    ["http://[::1]:9000", true],
    ["http://[::2]", false],
  ])("%s -> %s", (text, ok) => {
    expect(parseOriginUrl(text, rules).ok).toBe(ok);
  });

  test("an empty list allows no host", () => {
    expect(parseOriginUrl("https://api.example.com", { allowPrivate: true, allowedHosts: [] }).ok).toBe(false);
  });
});
