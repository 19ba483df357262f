/** The documents that schedules put in force: the same service each time, under a route that tells them apart. */
import type { ServiceSetup } from "./plan.ts";

/** A variable that the Worker of every other isolate does not have. */
export const variableName = "ORIGIN_URL";

/** Text of document number `note`; `names`: it names the variable, so that some isolates cannot compile it. */
export function documentOf(setup: ServiceSetup, note: number, names: boolean): string {
  const { origins, illnesses: _, illForMs: __, mustHeal: ___, maxConcurrentRequests, ...settings } = setup;
  const listed = Array.from({ length: origins }, (_, at) => ({ id: originId(at), url: originUrl(originId(at)) }));
  const extra = names ? [{ id: "extra", url: `\${${variableName}}` }] : [];
  const service = {
    origins: [...listed, ...extra],
    ...Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null)),
    ...(maxConcurrentRequests > 0 && { maxConcurrentRequests }),
  };
  return JSON.stringify({
    services: { [serviceName]: service },
    routes: [{ name: `note${note}`, service: serviceName }],
  });
}

export const serviceName = "s";

/** Id of an origin that the document lists: as `originsOf` names those of its first version. */
export const originId = (at: number): string => `o0${at}`;
export const originUrl = (id: string): string => `http://${id}.example`;

/** Id of an origin that registers itself. */
export const registrantId = (at: number): string => `r${at}`;

/** Can an isolate at this place compile the text? */
export const compilesAt = (place: number, text: string): boolean => place % 2 === 0 || !text.includes(variableName);

/** Place of an isolate, from its name. */
export const placeOf = (isolateName: string): number => Number(/^isolate(\d+)/.exec(isolateName)![1]);
