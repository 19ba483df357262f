/** Which request headers cross the gateway, and the few that are mended on the way. */

/** Pseudonym of the gateway in `Via` (RFC 9110 7.6.3). */
export const viaName = "sluice";

/**
 * Fields that belong to one connection (RFC 9110 7.6.1) or to the hop before us. `expect` was answered by the runtime, and
 * `host` and `content-length` are written anew for the origin.
 */
const dropped: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "host",
  "content-length",
]);

/** Fields and families of which nothing from outside is believed: the gateway writes what is true. */
const distrusted: ReadonlySet<string> = new Set(["forwarded", "x-real-ip"]);
const distrustedPrefixes = ["x-forwarded-", "x-sluice-", "sluice-"] as const;

/** Underscores count as hyphens: many servers read `X_Forwarded_For` and `X-Forwarded-For` into one variable. */
const spelled = (name: string): string => (name.includes("_") ? name.replaceAll("_", "-") : name);

/**
 * First characters of all these names. Most names of a request begin with another one, and are thus looked at no further
 * (bench/micro: isWithheld).
 */
const initials = new Uint8Array(128);
for (const name of [...dropped, ...distrusted, ...distrustedPrefixes, "proxy-"]) initials[name.charCodeAt(0)] = 1;

/** Is a request header (lower-case name) kept from the origin? */
export function isWithheld(name: string): boolean {
  if (initials[name.charCodeAt(0)] !== 1) return false;
  const one = spelled(name);
  return dropped.has(one) || one.startsWith("proxy-") || isForgeable(one);
}

/** Is a request header (lower-case name) one that no decision may rest on, as anybody can send it? */
export function isDistrusted(name: string): boolean {
  return initials[name.charCodeAt(0)] === 1 && isForgeable(spelled(name));
}

function isForgeable(one: string): boolean {
  if (distrusted.has(one)) return true;
  for (const prefix of distrustedPrefixes) if (one.startsWith(prefix)) return true;
  return false;
}

/** Is a response header (lower-case name) of an origin one that only the gateway may send? */
export function isForged(name: string): boolean {
  return name.startsWith("sluice-");
}

/** How often `Via` says that a request has passed this gateway. */
export function passesOf(via: string | null): number {
  if (via === null || !via.toLowerCase().includes(viaName)) return 0;
  return via.split(",").filter((entry) => entry.trim().split(/\s+/)[1]?.toLowerCase() === viaName).length;
}

/** `Via` for the origin: what came, and us. */
export function viaWith(via: string | null): string {
  return via === null || via.trim() === "" ? `1.1 ${viaName}` : `${via}, 1.1 ${viaName}`;
}

/**
 * Several Cookie headers reach a Worker joined by ", ", which no server reads as two cookies; RFC 9113 8.2.3 joins them
 * by "; ". A comma followed by a space can't stand in a cookie's value (RFC 6265 4.1.1), so what follows is a new pair.
 */
export function mendCookies(cookie: string): string {
  return cookie.includes(", ") ? cookie.replace(/, (?=[!#$%&'*+\-.^_`|~0-9A-Za-z]+=)/g, "; ") : cookie;
}

/** A client's request id is kept when it is 1-128 harmless characters. */
export function isRequestId(id: string | null): id is string {
  return id !== null && /^[A-Za-z0-9._-]{1,128}$/.test(id);
}

/** First value of a cookie in a Cookie header; null when absent. Surrounding quotes are part of the value. */
export function cookieOf(header: string | null, name: string): string | null {
  if (header === null) return null;
  const cookies = mendCookies(header);
  // The pairs are not taken apart: there may be dozens, and one is asked for.
  for (let start = 0; start < cookies.length; ) {
    const semicolon = cookies.indexOf(";", start);
    const end = semicolon < 0 ? cookies.length : semicolon;
    const equals = cookies.indexOf("=", start);
    const isPair = equals > start && equals < end;
    if (isPair && cookies.slice(start, equals).trim() === name) return cookies.slice(equals + 1, end).trim();
    start = end + 1;
  }
  return null;
}
