/** Values that nobody means well with. */
import fc from "fast-check";
import type { Written } from "./written.ts";

const numbers = [
  ...["0", "-0", "1", "-1", "0.5", "1e2", "1E+2", "1e-400", "-1e-400", "1e999", "-1e999", "1e308", "1.8e308"],
  ...["9007199254740993", "-9007199254740993", "18446744073709551616", "4294967296", "2147483648", "1e21", "300"],
  `${"9".repeat(400)}`,
  `0.${"3".repeat(500)}`,
];
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: placeholders of the configuration.
const strings = [
  ...['""', '"a"', '"users"', '"__proto__"', '"constructor"', '"${SECRET}"', '"${ADMIN_TOKEN}"', '"${constructor}"'],
  ...[
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\ud83d\\ude00"',
    '"😀"',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\u2028"',
    '"\\ufeff"',
  ],
  ...[
    '"a\\r\\nx-evil: 1"',
    '"../../etc"',
    '"%00"',
    '"%"',
    '"*"',
    '"(a+)+$"',
    '"[[:alpha:]"',
    '"http://[::1]/"',
    '"ip"',
  ],
  ...[
    '"header:x"',
    '"/"',
    '"/a/:b/*"',
    '"GET"',
    '"get"',
    '"2027-01-31T00:00:00Z"',
    '"\ud800"',
    '"null"',
    '"true"',
    '"0"',
  ],
  `"${"x".repeat(200)}"`,
  `"${"(".repeat(1_000)}"`,
  `"${"a".repeat(5_000)}"`,
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: placeholders of the configuration.
const names = [
  ...['"__proto__"', '"\\u005f_proto__"', '"constructor"', '"prototype"', '"toString"', '"hasOwnProperty"', '"then"'],
  ...[
    '""',
    '"a"',
    '"A"',
    '"a b"',
    '"a/b~c"',
    '"users"',
    '"name"',
    '"url"',
    '"$schema"',
    '"\\ud800"',
    '"\\u0000"',
    '"0"',
  ],
  ...['"toJSON"', '"valueOf"', '"__defineGetter__"', '"service"', '"routes"', `"${"n".repeat(300)}"`],
];
/** Beyond what may be nested, and beyond what a stack could take. */
const depths = [1, 2, 30, 31, 32, 33, 64, 500, 5_000];

const token = fc.constantFrom(...numbers, ...strings, "null", "true", "false").map((text): Written => {
  return { kind: "token", text };
});
const nest = fc.record({
  kind: fc.constant("nest" as const),
  depth: fc.constantFrom(...depths),
  of: fc.constantFrom("arrays" as const, "objects" as const),
});
/** A name of a member. */
export const hostileName = fc.constantFrom(...names);

/** Any value. */
export const hostile: fc.Arbitrary<Written> = fc.letrec<{ value: Written }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { arbitrary: token, weight: 8 },
    { arbitrary: nest, weight: 1 },
    {
      arbitrary: fc.array(tie("value"), { maxLength: 4 }).map((items): Written => ({ kind: "array", items })),
      weight: 2,
    },
    {
      arbitrary: fc
        .array(fc.tuple(hostileName, tie("value")), { maxLength: 4 })
        .map((members): Written => ({ kind: "object", members })),
      weight: 3,
    },
  ),
})).value;
