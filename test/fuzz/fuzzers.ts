/** All fuzzers. */
import type { Fuzzer } from "./fuzzer.ts";
import { headers } from "./wire/headers.ts";
import { paths } from "./wire/paths.ts";
import { requestBytes } from "./wire/request-bytes.ts";

export const fuzzers: readonly Fuzzer[] = [requestBytes, paths, headers];
