/** A value of JSON (RFC 8259), as JSON.parse gives it. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Place in a JSON value: member names and indexes from its root. */
export type JsonPath = readonly (string | number)[];

/** Array.isArray, which does not narrow readonly arrays. */
export function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
