/** What a crash has left of short leases; `statusOf` asks one isolate. */
import { type BriefListed, briefIdOf, briefMax, briefService } from "./brief.ts";
import type { Stage } from "./stage.ts";

/** Everything that is lost, in words. To be called before anything else is registered. */
export async function briefLosses({ gateway, books }: Stage): Promise<string[]> {
  const { origins } = (await (await gateway.admin(`/v1/services/${briefService}`)).json()) as {
    origins: BriefListed[];
  };
  return books.brief.settle(origins ?? [], Date.now());
}

/** Every short lease that was acknowledged and is not over is asked by an isolate. */
export async function misservedBrief(
  { books: { brief }, origin: { asked } }: Stage,
  url: string,
  statusOf: (path: string) => Promise<number>,
): Promise<string[]> {
  const mark = `/${briefService}/${new URL(url).port}`;
  const before = asked.length;
  for (let sent = 0; sent < 2 * briefMax + 1; sent++) await statusOf(mark);
  const found = new Set(asked.slice(before).map(({ target }) => target.endsWith(mark) && briefIdOf(target)));
  const missing = brief.lasting(Date.now()).filter((id) => !found.has(id));
  return missing.map((id) => `${briefService}/${id} was acknowledged and is not asked`);
}
