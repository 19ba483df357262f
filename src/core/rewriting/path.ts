import { normalizePath, segmentsOf } from "../routing/path.ts";

/** How a path is replaced (Kubernetes Gateway API, HTTPPathModifier). `value` has no query; "" counts as "/". */
export type PathModifier =
  | { readonly kind: "replaceFullPath"; readonly value: string }
  | {
      readonly kind: "replacePrefixMatch";
      /** One "/" at its end is ignored. */
      readonly value: string;
      /** Segments of the prefix that the request was matched by; 0 for "/". */
      readonly matchedSegments: number;
    };

/** What happens to the path of a request on its way; `stripPrefix` comes first. Left out: nothing. */
export interface PathRewrite {
  /** Segments to cut from the beginning, normalised; a path that does not begin with them stays. */
  readonly stripPrefix?: readonly string[] | undefined;
  readonly path?: PathModifier | undefined;
}

/**
 * The path to send, made from the path as received: what stays is not re-encoded. A matched prefix that is replaced after
 * `stripPrefix` is what is left of it then. Never empty.
 */
export function rewritePath(rewrite: PathRewrite, rawPath: string): string {
  const stripped = segmentsToStrip(rewrite.stripPrefix, rawPath);
  const rewritten = modifyPath(rewrite.path, rawPath, stripped);
  return rewritten === "" ? "/" : rewritten;
}

function modifyPath(modifier: PathModifier | undefined, rawPath: string, stripped: number): string {
  switch (modifier?.kind) {
    case undefined:
      return pathAfter(rawPath, stripped);
    case "replaceFullPath":
      return modifier.value;
    case "replacePrefixMatch":
      return modifier.value.replace(/\/$/, "") + pathAfter(rawPath, Math.max(stripped, modifier.matchedSegments));
  }
}

/** Segments are compared in normalised form; there are as many of them in the path as received. */
function segmentsToStrip(prefix: readonly string[] | undefined, rawPath: string): number {
  if (prefix === undefined) return 0;
  const segments = segmentsOf(normalizePath(rawPath));
  return prefix.every((text, index) => segments[index] === text) ? prefix.length : 0;
}

/** What follows the first `count` segments, from its "/" on; "" when nothing does. */
function pathAfter(path: string, count: number): string {
  let start = 0;
  for (let passed = 0; passed < count; passed += 1) start = path.indexOf("/", start + 1);
  return start === -1 ? "" : path.slice(start);
}
