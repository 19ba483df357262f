/** All fuzzers. */
import { adminBodiesFuzzer } from "./documents/admin-bodies.ts";
import { configDocumentsFuzzer } from "./documents/config-documents.ts";
import { originUrlsFuzzer } from "./documents/origin-urls.ts";
import { regexesFuzzer } from "./documents/regexes.ts";
import type { Fuzzer } from "./fuzzer.ts";
import { headers } from "./wire/headers.ts";
import { paths } from "./wire/paths.ts";
import { requestBytes } from "./wire/request-bytes.ts";
import { watchFrames } from "./wire/watch-frames.ts";

export const fuzzers: readonly Fuzzer[] = [
  requestBytes,
  paths,
  headers,
  watchFrames,
  adminBodiesFuzzer,
  configDocumentsFuzzer,
  originUrlsFuzzer,
  regexesFuzzer,
];
