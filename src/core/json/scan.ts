/** What JSON.parse lets pass and a configuration must not have. */
import { bounds } from "../../bounds.ts";
import { lossOfNumber } from "./number.ts";
import type { JsonPath } from "./types.ts";

/** One finding. `path` is its place; of a member name, the place of the member. */
export interface JsonIssue {
  /**
   * `duplicate`: a member name that the object already has, whichever way it is escaped. `deep`: an array or object nested too
   * deeply, whose content is not looked at. `surrogate`: a name or string with half a surrogate pair, which UTF-8 cannot
   * hold. `number`: one that a double cannot hold (`lossOfNumber`). `name`: `__proto__`.
   */
  readonly kind: "duplicate" | "deep" | "surrogate" | "number" | "name";
  readonly detail: string;
  readonly path: JsonPath;
}

/** The first issues in the order of the text, and how many there are in all. */
export interface JsonScan {
  readonly issues: readonly JsonIssue[];
  readonly total: number;
}

/** An array or object that is open at the reader's place. */
interface Frame {
  /** Names seen so far; null for an array. */
  readonly names: Set<string> | null;
  /** Name or index of the member that is being read. */
  step: string | number;
  expectsName: boolean;
}

type Report = (kind: JsonIssue["kind"], detail: string) => void;

const numberToken = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const codes = { quote: 0x22, bracket: 0x5b, bracketEnd: 0x5d, brace: 0x7b, braceEnd: 0x7d };
const loneSurrogate = /\p{Surrogate}/u;

/**
 * Is there certainly nothing for `scanJson` to find? `value` is what JSON.parse made of the text. False says nothing: texts
 * with insignificant space are always scanned. Much faster than a scan, as `JSON.stringify` does the work: a name that came
 * twice, a number that a double cannot hold and half a surrogate pair are all written back in another way than they were read.
 */
export function isSpotless(text: string, value: unknown, depthMax: number = bounds.jsonDepthMax): boolean {
  // What would be written back as it was read; and what a recursion could not survive.
  if (text.includes("\\ud") || text.includes('"__proto__"') || depthOf(text) > depthMax) return false;
  return JSON.stringify(value) === text;
}

/** Most containers that are open at once. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === codes.quote) at = endOfString(text, at) - 1;
    else if (code === codes.brace || code === codes.bracket) deepest = Math.max(deepest, ++depth);
    else if (code === codes.braceEnd || code === codes.bracketEnd) depth--;
  }
  return deepest;
}

/**
 * Looks through a text that JSON.parse has ALREADY accepted; on any other text the answer means nothing (but comes, in
 * linear time). `depthMax` counts containers, the outermost as 1. Neither depth nor size of the text can exhaust the stack:
 * run this before anything walks the value by recursion.
 */
export function scanJson(
  text: string,
  depthMax: number = bounds.jsonDepthMax,
  issuesMax: number = bounds.issuesMax,
): JsonScan {
  const issues: JsonIssue[] = [];
  const frames: Frame[] = [];
  let total = 0;
  const report: Report = (kind, detail) => {
    total++;
    if (issues.length < issuesMax) issues.push({ kind, detail, path: frames.map((frame) => frame.step) });
  };
  let at = 0;
  while (at < text.length) {
    const frame = frames.at(-1);
    const character = text[at]!;
    switch (character) {
      case "{":
      case "[":
        if (frames.length >= depthMax) {
          report("deep", `nested more than ${depthMax} deep`);
          at = endOfContainer(text, at);
        } else {
          frames.push(
            character === "{"
              ? { names: new Set(), step: "", expectsName: true }
              : { names: null, step: 0, expectsName: false },
          );
          at++;
        }
        break;
      case '"': {
        const end = endOfString(text, at);
        readString(text.slice(at, end), frame, report);
        at = end;
        break;
      }
      default:
        at = character >= "0" && character <= "9" ? readNumber(text, at, report) : at + 1;
        if (character === ",") nextMember(frame);
        else if (character === "}" || character === "]") frames.pop();
    }
  }
  return { issues, total };
}

function nextMember(frame: Frame | undefined): void {
  if (frame === undefined) return;
  if (typeof frame.step === "number") frame.step++;
  else frame.expectsName = true;
}

/** Reads a string, which is a member's name or a value. */
function readString(raw: string, frame: Frame | undefined, report: Report): void {
  const value = raw.includes("\\") ? String(JSON.parse(raw)) : raw.slice(1, -1);
  if (frame?.expectsName) {
    frame.expectsName = false;
    frame.step = value;
    if (value === "__proto__") report("name", "the name __proto__ is not allowed");
    if (frame.names?.has(value)) report("duplicate", "the name appears twice in its object");
    frame.names?.add(value);
  }
  if (loneSurrogate.test(value)) report("surrogate", "half a surrogate pair, which is no Unicode character");
}

/** Reads a number from its first digit, as its sign says nothing of its size, and answers the index after it. */
function readNumber(text: string, start: number, report: Report): number {
  numberToken.lastIndex = start;
  const [token] = numberToken.exec(text)!;
  const loss = lossOfNumber(token);
  if (loss !== null) report("number", loss);
  return start + token.length;
}

/** Index after the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length + 1 : end + 1;
}

/** Is there an odd number of backslashes before the place? Before -1 there is none. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text[before - 1] === "\\") before--;
  return (at - before) % 2 === 1;
}

/** Index after the array or object that begins at `start`. */
function endOfContainer(text: string, start: number): number {
  let open = 0;
  let at = start;
  do {
    const character = text[at];
    if (character === "{" || character === "[") open++;
    else if (character === "}" || character === "]") open--;
    at = character === '"' ? endOfString(text, at) : at + 1;
  } while (open > 0 && at < text.length);
  return at;
}
