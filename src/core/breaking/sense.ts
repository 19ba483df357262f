/**
 * The isolate's half: a sensor of one service's health with a reflex of its own. It decides at once on what it knows, tells
 * the service's object what it saw, and does what that has decided for everybody. Moments are of the isolate's clock, which
 * must not be set back.
 */

export { type Admission, admit, stateOf } from "./sense-admit.ts";
export { adopt, ejectedOf } from "./sense-adopt.ts";
export { record } from "./sense-record.ts";
export { failed, replied, reportDueInMs, takeReport } from "./sense-report.ts";
export { newSense, type Permit, type Sense } from "./sense-state.ts";
