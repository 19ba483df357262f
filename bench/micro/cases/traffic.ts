/** Which version: splits, conditions, keys and their hash. */
import { keyText } from "../../../src/core/keys/key-text.ts";
import { keyOf } from "../../../src/core/keys/keys.ts";
import { murmur3 } from "../../../src/core/traffic/hash.ts";
import { selectVersion } from "../../../src/core/traffic/select.ts";
import { splitThresholds } from "../../../src/core/traffic/split.ts";
import type { SelectionContext, TrafficRule } from "../../../src/core/traffic/types.ts";
import type { Case } from "../measure.ts";
import { byTurns, factsOf, newRandom } from "./facts.ts";

const extras = { params: {}, route: "users" };

export function traffic(): Case[] {
  const random = newRandom();
  const facts = byTurns((index) =>
    factsOf({ clientIp: `203.0.113.${index}`, headers: { "x-user-id": `user-${index}` } }),
  );
  const contexts = byTurns((index): SelectionContext => {
    const say = { versionExists: () => true, hasOrigin: () => true };
    return { ...extras, ...say, facts: facts(index), random };
  });
  const split: TrafficRule = {
    kind: "split",
    versions: ["v1", "v2"],
    thresholds: splitThresholds([90, 10]),
    stickyBy: [{ kind: "header", name: "x-user-id" }, { kind: "ip" }],
    salt: "users",
    onEmpty: "next",
  };
  const nowhere = { methods: null, regions: null, colos: null, ipMatches: null };
  const when: TrafficRule = {
    kind: "when",
    conditions: {
      ...nowhere,
      countries: new Set(["DK"]),
      criteria: [{ source: "header", name: "x-beta", kind: "exact", expected: "1" }],
    },
    version: "v3",
    onEmpty: "next",
  };
  const select = (name: string, rules: readonly TrafficRule[]): Case => ({
    name: `select ${name}`,
    run: (index) => selectVersion(rules, contexts(index)),
  });
  const texts = byTurns((index) => `users\0user-${index}`);
  const foreign = byTurns((index) => `users\0Zoë-${index}`);
  return [
    select("split sticky", [split]),
    select("split drawn", [{ ...split, stickyBy: [] }]),
    select("2 x when, then split sticky", [when, when, split]),
    { name: "murmur3, 14 ASCII characters", run: (index) => murmur3(texts(index)) },
    { name: "murmur3, 12 characters, not ASCII", run: (index) => murmur3(foreign(index)) },
    { name: "keyOf header, then ip", run: (index) => keyOf(split.stickyBy, facts(index), extras) },
    { name: "keyText ip", run: (index) => keyText({ kind: "ip" }, facts(index).clientIp!) },
    { name: "keyText ip, IPv6", run: (index) => keyText({ kind: "ip" }, `2001:db8::${(index & 255).toString(16)}`) },
  ];
}
