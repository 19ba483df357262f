/** What must never be, whatever was sent: of a request that an origin gets, and of an answer that a client gets. */
import type { Answer } from "./answers.ts";
import type { Seen } from "./origin.ts";

/** The header by which the origin knows what the gateway made; its value is a secret of the run. */
export const markHeader = "x-made-by-gateway";

/** Fields that the gateway writes, each exactly once. */
const written = ["host", "via", "x-request-id", "x-forwarded-proto", "x-forwarded-host", markHeader];
const perHop = new Set(["connection", "keep-alive", "te", "trailer", "upgrade", "expect"]);
const reserved = /^(forwarded$|x-real-ip$|x-forwarded-|x-sluice-|sluice-|proxy-)/;
const dotSegment = /(^|\/)(\.|%2e){1,2}(\/|$)/i;

/** Breaks a request at the origin a rule? `bases`: paths under which the gateway's routes lie. */
export function faultOfSeen(seen: Seen, mark: string, bases: readonly string[]): string | null {
  const valuesOf = (wanted: string) => seen.headers.filter(([name]) => name === wanted).map(([, value]) => value);
  const [given] = valuesOf(markHeader);
  if (given !== mark) return `smuggling: the origin got a request that the gateway did not make: ${seen.requestLine}`;
  for (const name of written) {
    if (valuesOf(name).length !== 1) return `forged: ${name} is there ${valuesOf(name).length} times`;
  }
  const [peer = null] = valuesOf("cf-connecting-ip");
  // The handshake of a WebSocket is the runtime's own.
  const isUpgrade =
    valuesOf("upgrade").join() === "websocket" && valuesOf("connection").join().toLowerCase() === "upgrade";
  for (const [name, value] of seen.headers) {
    const one = name.replaceAll("_", "-");
    if (written.includes(name)) continue;
    if (name === "x-forwarded-for" && value === peer) continue;
    if (reserved.test(one)) return `forged: ${name}: ${value.slice(0, 100)}`;
    if (perHop.has(one) && !(isUpgrade && (name === "connection" || name === "upgrade"))) return `hop: ${name}`;
  }
  if (!/^([^\s,]+( [^,]*)?, *)*1\.1 sluice$/.test(valuesOf("via")[0]!)) {
    if (!valuesOf("via")[0]!.endsWith("1.1 sluice")) return `forged: via: ${valuesOf("via")[0]}`;
  }
  if (valuesOf("x-forwarded-proto")[0] !== "http")
    return `forged: x-forwarded-proto: ${valuesOf("x-forwarded-proto")[0]}`;
  if (!/^[A-Za-z0-9._-]{1,128}$/.test(valuesOf("x-request-id")[0]!)) return "forged: x-request-id";
  const path = seen.target.split("?")[0]!;
  if (!bases.some((base) => path === base || path.startsWith(`${base}/`)))
    return `escaped: ${seen.target.slice(0, 200)}`;
  if (dotSegment.test(path)) return `escaped: a dot segment in ${seen.target.slice(0, 200)}`;
  return null;
}

/** Names that nobody outside should read: files, frames of a stack, classes and bindings of objects, secrets' names. */
const internal =
  /workerd|miniflare|node_modules|\.[cm]?[jt]s:\d+|\bat [\w.<>]+ \(|ControlPlane|ServiceRegistry|ServiceHealth|RateLimiter|CONTROL_PLANE|SERVICE_REGISTRY|SERVICE_HEALTH|RATE_LIMITER|VERSION_METADATA|_TOKEN\b|\bjsg\b|kj::|\.c\+\+|TypeError|RangeError|SyntaxError|ReferenceError|127\.0\.0\.1/;

/** Says an answer something that the client did not say itself? `secrets`: texts that may not even be repeated. */
export function leakIn({ head, body }: Answer, input: Buffer, secrets: readonly string[]): string | null {
  const text = `${head}\r\n\r\n${body}`;
  for (const secret of secrets) if (text.includes(secret)) return `leak: the secret ${secret}`;
  const [name] = internal.exec(text) ?? [];
  if (name === undefined || input.includes(Buffer.from(name, "latin1"))) return null;
  return `leak: ${name} in ${JSON.stringify(text.slice(0, 300))}`;
}

/** Is an answer of 5xx a failure of the gateway? `internal_error` is; so is what the runtime says of an uncaught exception. */
export function failureIn({ status, head, body }: Answer): string | null {
  if (/\r\nsluice-error:[ \t]*internal_error/i.test(head)) return "crash: internal_error";
  const isRuntimes = status === 500 && body.includes("Internal Server Error");
  return isRuntimes ? "crash: the runtime answered 500" : null;
}
