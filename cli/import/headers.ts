/** Header edits of the original as edits of ours. What the gateway would refuse is noted. */
import { isWithheld } from "../../src/core/forwarding/headers.ts";
import { HeaderName, HeaderValue } from "../../src/schema/names.ts";
import type { Part } from "./reader.ts";

/** As `rewrite` and `response` of a route have them. */
export interface HeaderEdits {
  setHeaders?: Record<string, string>;
  addHeaders?: Record<string, string>;
  removeHeaders?: string[];
}

/** Whose headers are edited: those of the request on its way to the origin, or of the answer. */
export type Side = "request" | "response";

const responseReserved = ["connection", "content-encoding", "content-length", "transfer-encoding", "upgrade"];
const placeholder = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;

/** Edits that are added to; `at` is the place of each in the original. */
export class EditsBuilder {
  readonly edits: HeaderEdits = {};
  readonly #side: Side;

  constructor(side: Side) {
    this.#side = side;
  }

  set(name: string, value: string, at: Part): void {
    if (this.#isValid(name, value, at)) this.edits.setHeaders = { ...this.edits.setHeaders, [name]: value };
  }

  /** Several values for one name are joined. */
  add(name: string, value: string, at: Part): void {
    if (!this.#isValid(name, value, at)) return;
    const before = this.edits.addHeaders?.[name];
    const joined = before === undefined ? value : `${before}, ${value}`;
    this.edits.addHeaders = { ...this.edits.addHeaders, [name]: joined };
  }

  remove(name: string, at: Part): void {
    if (this.#isValid(name, "", at)) this.edits.removeHeaders = [...(this.edits.removeHeaders ?? []), name];
  }

  /** The edits; undefined when there are none. */
  done(): HeaderEdits | undefined {
    return Object.keys(this.edits).length > 0 ? this.edits : undefined;
  }

  #isValid(name: string, value: string, at: Part): boolean {
    if (isReserved(this.#side, name.toLowerCase())) {
      at.drop(`edit of the header ${name}`, "The gateway or the runtime writes this header.");
    } else if (!HeaderName.safeParse(name).success || !HeaderValue.safeParse(value).success) {
      at.drop(`header ${name}`, "Its name or its value is not valid.");
    } else if (placeholder.test(value)) {
      at.drop(`header ${name}`, "The value would be read as the name of a variable.");
    } else return true;
    return false;
  }
}

function isReserved(side: Side, name: string): boolean {
  if (side === "request") return isWithheld(name) || name === "via" || name === "x-request-id";
  return name.startsWith("sluice-") || responseReserved.includes(name);
}
