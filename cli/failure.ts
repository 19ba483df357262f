/** How commands end: exit codes, and the failures that people are to read. */

/** What the process ends with. */
export const exits = Object.freeze({
  ok: 0,
  /** Refused, unreachable, wrong files, wrong usage. */
  error: 1,
  /** `diff`: the gateway has something else. */
  drift: 2,
  /** `import --strict`: not everything could be translated. */
  notes: 3,
});

/** A failure with a sentence for people. `details`: further lines for them; `report`: further members of `--json`. */
export class Failure extends Error {
  readonly details: readonly string[];
  readonly report: Readonly<Record<string, unknown>>;

  constructor(message: string, details: readonly string[] = [], report: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "Failure";
    this.details = details;
    this.report = report;
  }
}
