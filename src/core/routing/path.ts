/** A percent-encoded octet (RFC 3986, 2.1). A "%" without two hex digits after it is not one and stays as it is. */
const encodedOctet = /%[0-9A-Fa-f]{2}/g;
/** RFC 3986, 2.3: characters that mean the same encoded or not. */
const unreserved = /[A-Za-z0-9\-._~]/;
const nonAscii = /[\u{80}-\u{10ffff}]+/gu;
const loneSurrogate = /\p{Surrogate}/gu;
const needsWork = /[%\u0080-\uffff]/;

/**
 * The form in which paths are compared; what is forwarded stays as it was received. Encoded unreserved characters are
 * decoded, every other encoding stays with its hex digits in upper case (RFC 3986, 6.2.2), so "%2F" never becomes a
 * separator and the number of segments is that of the path as received. "//" is not merged, dot segments are not looked at,
 * `%zz` is left as it is. Non-ASCII text, which only a configuration can hold, becomes percent-encoded UTF-8; half of a
 * surrogate pair becomes U+FFFD, as in the URL standard.
 */
export function normalizePath(path: string): string {
  if (!needsWork.test(path)) return path;
  return path.replace(encodedOctet, decodeUnreserved).replace(nonAscii, encodeUtf8);
}

/** The segments of a path: "/a/b" -> ["a", "b"], "/a/" -> ["a", ""], "/" -> [""], "" (the root of all prefixes) -> []. */
export function segmentsOf(path: string): readonly string[] {
  return path.split("/").slice(1);
}

function decodeUnreserved(octet: string): string {
  const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16));
  return unreserved.test(character) ? character : octet.toUpperCase();
}

function encodeUtf8(text: string): string {
  return encodeURIComponent(text.replace(loneSurrogate, "\ufffd"));
}
