/** A figure that is not a ratio to BARE. */
export interface Figure {
  readonly id: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** How it was found, or more of it, in a few words. */
  readonly note: string;
}
