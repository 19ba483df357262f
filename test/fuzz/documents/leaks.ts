/** What nobody outside may read. */

/** A secret and a token that documents may try to get at. */
export const secrets = { SECRET: "hidden-7f3a91", ADMIN_TOKEN: "token-91bc07" } as const;

const inner =
  /\.[cm]?[jt]s\b|node_modules|durable-object|\bworkerd\b|miniflare|sqlite|\b(?:Type|Range|Syntax|Reference)Error\b|\n\s+at |Cannot (?:read|set|convert)|is not a function|is not iterable|\[object |internal error/i;

/** A secret, or a name or message from inside, in a text; null: none. No hostile input has one of these words. */
export function leakIn(text: string, hidden: readonly string[] = Object.values(secrets)): string | null {
  const secret = hidden.find((some) => text.includes(some));
  return secret ?? inner.exec(text)?.[0] ?? null;
}
