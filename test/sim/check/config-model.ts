/** The control plane as writers and readers of the configuration should find it: compare and swap, one canary at most. */
import { hash as sha256Of } from "node:crypto";
import type { Asked } from "./history.ts";
import type { Model } from "./linear.ts";
import type { Manifest } from "./plane-truth.ts";

interface Stored {
  readonly revision: number;
  readonly hash: string;
}

export interface ConfigState {
  readonly head: Stored | null;
  readonly canary: (Stored & { readonly percent: number }) | null;
  /** The highest revision ever. */
  readonly newest: number;
}

interface Apply {
  readonly text: string;
  readonly ifRevision: number | null;
  readonly endsCanary?: boolean;
  readonly percent: number;
}
type ApplyAnswer =
  | { readonly ok: true; readonly revision: number; readonly hash: string }
  | { readonly ok: false; readonly code: string; readonly revision: number };

/** What a call does and answers: `null` as an answer is none to be had. */
interface Effect {
  readonly state: ConfigState;
  readonly answer: object | null;
}
type Step = (state: ConfigState, ask: never) => Effect;

const sha256 = (text: string): string => sha256Of("sha256", text);

const refused = (state: ConfigState, code: string, revision: number): Effect => ({
  state,
  answer: { ok: false, code, revision },
});
const taken = (state: ConfigState, { revision, hash }: Stored): Effect => ({
  state,
  answer: { ok: true, revision, hash },
});

const writes: Readonly<Record<string, Step>> = {
  apply(state, { text, ifRevision, endsCanary }: Apply) {
    const { head, canary, newest } = state;
    const revision = head?.revision ?? 0;
    if (ifRevision !== null && ifRevision !== revision) return refused(state, "revision_conflict", revision);
    if (canary && !endsCanary) return refused(state, "canary_running", canary.revision);
    const hash = sha256(text);
    if (head?.hash === hash) return taken({ ...state, canary: null }, head);
    const next = { revision: newest + 1, hash };
    return taken({ head: next, canary: null, newest: newest + 1 }, next);
  },
  applyCanary(state, { text, ifRevision, percent }: Apply) {
    const { head, canary, newest } = state;
    if (head === null) return refused(state, "unconfigured", 0);
    const isExpected = ifRevision === null || [head.revision, canary?.revision].includes(ifRevision);
    if (!isExpected) return refused(state, "revision_conflict", canary?.revision ?? head.revision);
    const hash = sha256(text);
    const isRamp = canary?.hash === hash;
    if (canary && !isRamp && ifRevision !== canary.revision) return refused(state, "canary_running", canary.revision);
    if (hash === head.hash) return taken(state, head);
    if (isRamp) return taken({ ...state, canary: { ...canary, percent } }, canary);
    const next = { revision: newest + 1, hash };
    return taken({ head, canary: { ...next, percent }, newest: newest + 1 }, next);
  },
  endCanary(state, { promote, ifRevision }: { promote: boolean; ifRevision: number | null }) {
    const { head, canary } = state;
    if (head === null || canary === null) return { state, answer: null };
    if (ifRevision !== null && ifRevision !== canary.revision)
      return refused(state, "revision_conflict", canary.revision);
    const { percent: _, ...stored } = canary;
    const next = promote ? stored : head;
    return taken({ ...state, head: next, canary: null }, next);
  },
};

function isSame(expected: object | null, found: ApplyAnswer | null): boolean {
  if (expected === null || found === null) return expected === found;
  const names = Object.entries(expected);
  return names.every(([name, value]) => (found as unknown as Record<string, unknown>)[name] === value);
}

/** Does a read give what there is? */
function shows({ head, canary }: ConfigState, method: string, answer: unknown): boolean {
  if (method === "current") {
    const found = answer as { revision: number; hash: string } | null;
    return found?.revision === head?.revision && found?.hash === head?.hash;
  }
  // A manifest that has not changed says nothing.
  if (answer === null) return true;
  const found = answer as Manifest;
  return (
    found.revision === (head?.revision ?? 0) &&
    found.sections.config === head?.hash &&
    found.sections.canary === canary?.hash &&
    found.canary?.percent === canary?.percent
  );
}

export const configModel: Model<ConfigState, Asked, unknown> = {
  first: { head: null, canary: null, newest: 0 },
  step(state, { method, args }, answer) {
    const write = writes[method];
    if (write === undefined) return answer === undefined || shows(state, method, answer) ? state : null;
    const effect = write(state, args[0] as never);
    return answer === undefined || isSame(effect.answer, answer as ApplyAnswer | null) ? effect.state : null;
  },
  textOf: ({ head, canary, newest }) => {
    return [head?.revision, head?.hash, canary?.revision, canary?.hash, canary?.percent, newest].join();
  },
};
