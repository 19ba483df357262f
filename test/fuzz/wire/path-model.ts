/** What the contract says becomes of a target, written a second time and as simply as can be: it is slow, and knows only the bed's routes. */
import { baseOf } from "./bed.ts";

/** `own`: the gateway answers; `none`: no route; else the target that the origin gets. */
export type Fate =
  | { readonly kind: "own"; readonly path: string }
  | { readonly kind: "none" }
  | { readonly kind: "route"; readonly name: string; readonly sent: string };

/** Fate of a request target in its origin form or absolute form. */
export function fateOf(target: Buffer): Fate {
  const text = new TextDecoder().decode(target).split("#")[0]!;
  // The runtime takes a target without the scheme for an absolute one too.
  const absolute = /^(?:[a-z][a-z0-9+.-]*)?:\/\/[^/?\\]*/i.exec(text)?.[0] ?? "";
  const rest = text.slice(absolute.length);
  const mark = rest.indexOf("?");
  const written = mark < 0 ? rest : rest.slice(0, mark);
  const query = mark < 0 ? "" : encoded(rest.slice(mark), /["'<>]/);
  const path = encoded(resolved(written.replaceAll("\\", "/")), /["<>`{}^]/);
  const segments = path.split("/").slice(1).map(plain);
  if (segments[0] === "_sluice") return { kind: "own", path: `/${segments.join("/")}` };
  const routed = routeOf(segments);
  if (routed === null) return { kind: "none" };
  const [name, cut, instead] = routed;
  // What is cut off is segments; what is left is as it came.
  const left = path
    .split("/")
    .slice(1 + cut)
    .map((segment) => `/${segment}`)
    .join("");
  const sent = instead + left;
  return { kind: "route", name, sent: baseOf(name) + (sent === "" ? "/" : sent) + query };
}

/** Route, number of segments that are cut off, and what is put there. */
function routeOf(
  segments: readonly string[],
): [name: "api" | "v2" | "exact" | "user" | "word", cut: number, instead: string] | null {
  const [first, second] = segments;
  if (segments.length === 2 && first === "exact" && second === "one") return ["exact", 0, ""];
  if (first === "api" && second === "v2") return ["v2", 2, "/two"];
  if (first === "api") return ["api", 1, ""];
  if (first === "users" && second !== undefined && second !== "") return ["user", 0, ""];
  if (segments.length === 2 && first === "re" && /^[a-z]+$/.test(second!)) return ["word", 0, ""];
  return null;
}

/** Dot segments, encoded ones too, are resolved (URL Standard, path state). */
function resolved(path: string): string {
  const out: string[] = [];
  const all = path.split("/").slice(1);
  all.forEach((segment, at) => {
    const dots = segment.replace(/%2e/gi, ".");
    const isLast = at === all.length - 1;
    if (dots === "..") out.pop();
    else if (dots !== ".") out.push(segment);
    if (isLast && (dots === "." || dots === "..")) out.push("");
  });
  return `/${out.join("/")}`;
}

/** Encodes what a URL never holds as it is; `more`: and these. */
function encoded(text: string, more: RegExp): string {
  return [...text].map((one) => (one > "\x20" && one < "\x7f" && !more.test(one) ? one : percent(one))).join("");
}

const percent = (one: string): string =>
  [...Buffer.from(one)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");

/** A segment as it is compared: what need not be encoded is decoded. */
function plain(segment: string): string {
  return segment.replace(/%([0-9a-f]{2})/gi, (octet, hex: string) => {
    const one = String.fromCharCode(Number.parseInt(hex, 16));
    return /[\w.~-]/.test(one) ? one : octet.toUpperCase();
  });
}
