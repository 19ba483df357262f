import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** `http://127.0.0.1:<port>` of the origin in workers-origin.ts. */
    originUrl: string;
  }
}
