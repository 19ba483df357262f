import { expect, test } from "vitest";
import { ipGroup } from "../../../../src/core/keys/ip-group.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["not an address", "not an address"],
  ["not:an:address", "not:an:address"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:1:2::1", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002:0000::", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["2001:db8:1::192.0.2.7", "2001:db8:1:0::/64"],
  ["64:ff9b::192.0.2.7", "64:ff9b:0:0::/64"],
  ["2001:db8::1:ffff:c000:207", "2001:db8:0:0::/64"],
  ["1:2:3:4:5:6:7::", "1:2:3:4::/64"],
])("%s stands for %s", (ip, group) => expect(ipGroup(ip)).toBe(group));

test("two addresses of one /64 are one client, of two they are two", () => {
  expect(ipGroup("2001:db8:1:2::1")).toBe(ipGroup("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  expect(ipGroup("2001:db8:1:2::1")).not.toBe(ipGroup("2001:db8:1:3::1"));
});
