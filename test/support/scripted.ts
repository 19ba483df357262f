/** What tests tell the part of the workers' origin that answers as it is told, and learn from it. */

/** Body of `PUT /scripted/<key>`: how `/scripted/<key>/...` answers from then on; 200 at once when left out. */
export interface Script {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Time to the response's headers. */
  readonly lateMs?: number;
}

/** Answer of `GET /seen/<key>`: what has come since the key was last told anything. */
export interface Seen {
  readonly requests: { readonly url: string; readonly userAgent: string | undefined; readonly timeMs: number }[];
  /** Most requests under way at once. */
  atOnceMax: number;
}
