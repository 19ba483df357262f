/** Objects of which exactly one member is written. */

/** A check for Zod's `refine`, and its message. Members that are left out do not count. */
export const one = (keys: readonly string[]) => ({
  check: (value: object) => Object.values(value).filter((entry) => entry !== undefined).length === 1,
  message: { error: `needs exactly one of ${keys.join(", ")}` },
});
/** The same for the JSON Schema, of an object that has no other members. */
export const onlyOne = { minProperties: 1, maxProperties: 1 };
