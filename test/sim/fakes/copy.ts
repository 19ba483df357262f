/** What a message carries is a copy: nothing that is altered later on one side is seen on the other. */

/** A copy of plain data, as structured cloning makes it. Throws for what is none: the product must not send it. */
export function copyOf<T>(value: T): T {
  if (typeof value !== "object" || value === null) {
    if (typeof value === "function" || typeof value === "symbol")
      throw new TypeError(`a ${typeof value} cannot be sent`);
    return value;
  }
  if (Array.isArray(value)) return value.map(copyOf) as T;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return structuredClone(value);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) copy[key] = copyOf((value as Record<string, unknown>)[key]);
  return copy as T;
}
