/** Numbers as JSON writes them that a double cannot hold. */

/**
 * What reading a number would lose: it is too large for a double, it would be 0, or it is an integer that would be
 * another one. Null: nothing. `token` is the number as JSON writes it. That a decimal is rounded is no loss, nor is an
 * integer that `JSON.stringify` would write back in the same digits.
 */
export function lossOfNumber(token: string): string | null {
  const value = Number(token);
  if (!Number.isFinite(value)) return "the number is too large";
  if (value === 0) return /^-?[0.]*[1-9]/.test(token) ? "the number is too small: it would be 0" : null;
  if (Number.isSafeInteger(value) || /[.eE]/.test(token)) return null;
  return digitsOf(token) === digitsOf(String(value)) ? null : `the number would be another one: ${value}`;
}

/** The digits of an integer, at most 309 here, without its exponent and the zeros before it. */
const digitsOf = (text: string) => text.replace(/e.*/, "").replace(".", "").replace(/0+$/, "");
