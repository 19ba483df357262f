/** Hosts of the original. */

/** Is it an exact host or `*.suffix`, in a spelling in which a document of ours may have it? */
export function isHostPattern(text: string): boolean {
  const name = text.toLowerCase().replace(/^\*\./, "");
  return name !== "" && !name.includes("*") && URL.parse(`http://${name}/`)?.hostname === name;
}
