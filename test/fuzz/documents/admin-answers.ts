/** What is wrong with one answer of the admin API, whatever state the gateway is in. */
import { type ErrorCode, errorKinds } from "../../../src/errors.ts";
import { tokens } from "../../support/tokens.ts";
import type { AdminCall } from "./admin-calls.ts";
import type { Body, Reading } from "./bodies.ts";
import { leakIn } from "./leaks.ts";
import { parsed } from "./written.ts";

/** A call that was made; `answer` is null when the connection ended without one. */
export interface Exchange {
  readonly call: AdminCall;
  readonly target: string;
  readonly body: Body;
  readonly reading: Reading;
  readonly answer: Answer | null;
}

export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

interface Problem {
  readonly status?: unknown;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly title?: unknown;
  readonly detail?: unknown;
  readonly requestId?: unknown;
  readonly errors?: readonly { readonly detail?: unknown; readonly pointer?: unknown }[];
}

/** What is wrong; null: nothing. */
export function wrongWithAnswer({ call, body, reading, answer }: Exchange): string | null {
  if (answer === null) return "no answer";
  const { status, headers, text } = answer;
  const told = `${[...headers].join("\n")}\n${text}`;
  const leak = leakIn(told, Object.values(tokens));
  // What the client wrote itself may come back.
  if (leak !== null && !body.bytes.includes(leak)) return `the answer tells ${leak}: ${text.slice(0, 300)}`;
  const json = parsed(text);
  if (typeof json !== "object" || json === null) return `${status} without a JSON object`;
  if (status >= 200 && status < 300) {
    const isBroken = reading.kind === "broken" || (reading.kind === "empty" && call.domain === "config");
    return isBroken ? `${status} for a body that may not be taken` : null;
  }
  if (status < 400 || status > 499) return `${status}: ${text.slice(0, 300)}`;
  return wrongWithProblem(call, reading, answer, json as Problem);
}

function wrongWithProblem(call: AdminCall, reading: Reading, answer: Answer, problem: Problem): string | null {
  const { status, headers } = answer;
  const { code, errors } = problem;
  if (headers.get("content-type") !== "application/problem+json") return `${status} is no problem document`;
  if (typeof code !== "string" || !Object.hasOwn(errorKinds, code)) return `${status} with the code ${code}`;
  if (problem.status !== status || errorKinds[code as ErrorCode].status !== status) return `${status} for ${code}`;
  if (headers.get("sluice-error") !== code) return "sluice-error is not the code";
  if (!headers.has("x-request-id") || problem.requestId !== headers.get("x-request-id")) return "no id of the request";
  if (problem.type !== `urn:sluice:error:${code}`) return `the type ${problem.type}`;
  if (!problem.title || !problem.detail) return "no words for a person";
  if (reading.kind === "broken" && status !== 400 && status !== 413)
    return `${status} for a body that may not be taken`;
  if (status !== 400 && status !== 422) return null;
  if (errors === undefined) return reading.kind === "clean" ? `${status} names no place: ${problem.detail}` : null;
  return errors.map((issue) => wrongWithIssue(issue, call, reading)).find((wrong) => wrong !== null) ?? null;
}

type Issue = NonNullable<Problem["errors"]>[number];

function wrongWithIssue({ detail, pointer }: Issue, call: AdminCall, reading: Reading): string | null {
  if (typeof detail !== "string" || detail === "") return "an issue without words";
  if (typeof pointer !== "string" || !/^#(\/|$)/.test(pointer)) return `an issue at ${pointer}`;
  // Of a patch, places are those in the document that it makes.
  if (reading.kind !== "clean" || call.method === "PATCH" || call.name.endsWith("rollback")) return null;
  return hasPlace(reading.value, pointer) ? null : `an issue at ${pointer}, where there is nothing`;
}

/** Is there such a place, or a value in which the last step is missing? */
function hasPlace(value: unknown, pointer: string): boolean {
  const steps = pointer.split("/").slice(1, -1);
  let place = value;
  for (const step of steps) {
    if (typeof place !== "object" || place === null) return false;
    place = (place as Record<string, unknown>)[step.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return steps.length === 0 || (typeof place === "object" && place !== null);
}
