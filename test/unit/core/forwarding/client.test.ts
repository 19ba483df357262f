import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientOf, type Incoming } from "../../../../src/core/forwarding/client.ts";

const incoming = (more: Partial<Incoming>): Incoming => ({
  peer: "9.9.9.9",
  proto: "http",
  host: "gateway.test",
  forwardedFor: null,
  forwardedProto: null,
  forwardedHost: null,
  ...more,
});

describe("the client behind trusted proxies", () => {
  it.each<[hops: number, forwardedFor: string | null, ip: string | null, sent: string | null]>([
    [0, null, "9.9.9.9", "9.9.9.9"],
    [0, "1.1.1.1", "9.9.9.9", "9.9.9.9"],
    [1, null, "9.9.9.9", "9.9.9.9"],
    [1, "", "9.9.9.9", "9.9.9.9"],
    [1, "1.1.1.1", "1.1.1.1", "1.1.1.1, 9.9.9.9"],
    [1, "6.6.6.6, 1.1.1.1", "1.1.1.1", "1.1.1.1, 9.9.9.9"],
    [2, "6.6.6.6,1.1.1.1 ,, 2.2.2.2", "1.1.1.1", "1.1.1.1, 2.2.2.2, 9.9.9.9"],
    [3, "1.1.1.1, 2.2.2.2", "1.1.1.1", "1.1.1.1, 2.2.2.2, 9.9.9.9"],
  ])("%i hops, x-forwarded-for %j", (hops, forwardedFor, ip, sent) => {
    expect(clientOf(incoming({ forwardedFor }), hops)).toMatchObject({ ip, forwardedFor: sent });
  });

  it("without a peer there is nothing to add", () => {
    expect(clientOf(incoming({ peer: null }), 0)).toMatchObject({ ip: null, forwardedFor: null });
    expect(clientOf(incoming({ peer: null }), 1)).toMatchObject({ ip: null, forwardedFor: null });
    expect(clientOf(incoming({ peer: null, forwardedFor: "1.1.1.1" }), 1)).toMatchObject({
      ip: "1.1.1.1",
      forwardedFor: "1.1.1.1",
    });
  });

  it("the scheme and the host are believed as far as the address is", () => {
    const said = incoming({ forwardedProto: "x, https, http", forwardedHost: "a, b" });
    expect([0, 1, 2, 3].map((hops) => clientOf(said, hops).proto)).toEqual(["http", "http", "https", "x"]);
    expect([0, 1, 2, 3].map((hops) => clientOf(said, hops).host)).toEqual(["gateway.test", "b", "a", "a"]);
  });

  it("what stands left of the trusted entries changes nothing", () => {
    const entry = fc.stringMatching(/^[0-9a-f.:]{1,6}$/);
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 4 }), fc.array(entry), (trusted, forged) => {
        const honest = clientOf(incoming({ forwardedFor: trusted.join(", ") }), trusted.length);
        const lied = clientOf(incoming({ forwardedFor: [...forged, ...trusted].join(", ") }), trusted.length);
        expect(lied).toEqual(honest);
      }),
    );
  });
});
