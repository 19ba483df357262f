/** Good values that are made worse at some places. */
import fc from "fast-check";
import { hostile, hostileName } from "./hostile.ts";
import { type Written, writtenOf } from "./written.ts";

const damages = ["put", "add", "again", "drop", "rename", "wrap", "copy", "twice"] as const;

/** One change for the worse. `at` and `from` choose places, whatever their number. */
interface Damage {
  readonly how: (typeof damages)[number];
  readonly at: number;
  readonly from: number;
  readonly name: string;
  readonly value: Written;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  how: fc.constantFrom(...damages),
  at: fc.nat(10_000),
  from: fc.nat(10_000),
  name: hostileName,
  value: hostile,
});

/** Good values, each with some damage, mostly little; at least `timesMin` times. */
export function damaged(good: readonly unknown[], timesMin = 0): fc.Arbitrary<Written> {
  const written = good.map(writtenOf);
  return fc
    .tuple(fc.constantFrom(...written), fc.array(damage, { minLength: timesMin, maxLength: 3 }))
    .map(([value, some]) => some.reduce(suffer, value));
}

function suffer(value: Written, { how, at, from, name, value: given }: Damage): Written {
  const places = countOf(value);
  const place = at % places;
  const change = (old: Written): Written => {
    switch (how) {
      case "put":
        return given;
      case "wrap":
        return { kind: "array", items: [old] };
      case "copy":
        return placeOf(value, from % places);
      case "drop":
        return old.kind === "object"
          ? { ...old, members: old.members.filter((_, index) => index !== from % old.members.length) }
          : { kind: "token", text: "null" };
      default:
        return old.kind === "object" ? { ...old, members: changed(old.members, how, from, name, given) } : given;
    }
  };
  return changedAt(value, place, change);
}

type Members = readonly (readonly [name: string, value: Written])[];

function changed(members: Members, how: Damage["how"], from: number, name: string, given: Written): Members {
  const index = members.length === 0 ? -1 : from % members.length;
  const [known = name, value = given] = members[index] ?? [];
  if (how === "again") return [...members, [escaped(known), given]];
  if (how === "twice") return [[known, given], ...members];
  if (how === "rename" && index >= 0) return members.with(index, [name, value]);
  return [...members, [name, given]];
}

/** The same name, in another spelling. */
function escaped(raw: string): string {
  const text = JSON.parse(raw) as string;
  if (text === "") return raw;
  return `"\\u${text.charCodeAt(0).toString(16).padStart(4, "0")}${JSON.stringify(text.slice(1)).slice(1)}`;
}

const innerOf = (value: Written): readonly Written[] =>
  value.kind === "array" ? value.items : value.kind === "object" ? value.members.map(([, inner]) => inner) : [];

/** How many values there are, with those within. */
function countOf(value: Written): number {
  return innerOf(value).reduce((sum, inner) => sum + countOf(inner), 1);
}

function placeOf(value: Written, place: number): Written {
  let found = value;
  changedAt(value, place, (old) => {
    found = old;
    return old;
  });
  return found;
}

/** The value with the one at `place` changed; places are counted from the root on, depth first. */
function changedAt(value: Written, place: number, change: (old: Written) => Written): Written {
  if (place === 0) return change(value);
  let left = place - 1;
  const visit = (inner: Written): Written => {
    const count = countOf(inner);
    const result = left >= 0 && left < count ? changedAt(inner, left, change) : inner;
    left -= count;
    return result;
  };
  if (value.kind === "array") return { ...value, items: value.items.map(visit) };
  if (value.kind !== "object") return value;
  return { ...value, members: value.members.map(([name, inner]) => [name, visit(inner)] as const) };
}
