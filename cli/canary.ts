/** The revision of the configuration that is tried on some clients. */
import type { z } from "zod";
import type * as schema from "../src/schema/api.ts";
import { type Api, Refusal } from "./api.ts";

export type Canary = z.output<typeof schema.CanaryAnswer>;

/** The canary that runs; null: none does. */
export async function readCanary(api: Api, signal?: AbortSignal): Promise<Canary | null> {
  try {
    return (await api.call<Canary>("/v1/config/canary", signal && { signal })).body;
  } catch (error) {
    if (error instanceof Refusal && error.code === "not_found") return null;
    throw error;
  }
}

/** `revision 4 is tried on 10 % of the clients`. */
export function canaryText({ revision, percent }: Pick<Canary, "revision" | "percent">): string {
  return `revision ${revision} is tried on ${percent} % of the clients`;
}
