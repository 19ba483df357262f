/** A request's header section, read in one pass: each look into the runtime's own costs more than to keep all of it. */

/** Names and values as they came. Made from a Request's headers; immutable. */
export class HeaderSection {
  /** In lower case; each once, but `set-cookie`, which is nothing in a request, as often as it came. */
  readonly names: readonly string[];
  private readonly values: readonly string[];

  constructor(headers: Headers) {
    const names: string[] = [];
    const values: string[] = [];
    headers.forEach((value, name) => {
      names.push(name);
      values.push(value);
    });
    this.names = names;
    this.values = values;
  }

  /** Value of a header by its lower-case name; a repeated one is its values joined by ", "; null when absent. */
  get(name: string): string | null {
    const at = this.names.indexOf(name);
    return at < 0 ? null : this.values[at]!;
  }
}
