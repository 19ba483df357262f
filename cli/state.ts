/** The state of a gateway at one moment. */
import type { z } from "zod";
import type * as schema from "../src/schema/api.ts";
import { type Api, Refusal } from "./api.ts";
import { type Canary, canaryText, readCanary } from "./canary.ts";
import { counted } from "./changes.ts";
import { type Cell, type Colour, type Paint, plain, table } from "./output.ts";
import { type Breakers, originsTable, readPages, type Service } from "./services.ts";

export interface State {
  readonly url: string;
  readonly health: z.output<typeof schema.Health>;
  /** null: none is running, or this token may not read it. */
  readonly canary: Canary | null;
  readonly services: readonly Service[];
  /** null: this token may not read them. */
  readonly breakers: readonly Breakers[] | null;
}

export async function readState(api: Api, signal?: AbortSignal): Promise<State> {
  const [health, canary, services, breakers] = await Promise.all([
    api.call<State["health"]>("/health", { expects: 503, ...(signal && { signal }) }),
    readCanary(api, signal).catch(nullIfForbidden),
    readPages<Service>(api, "/v1/services", signal),
    readPages<Breakers>(api, "/v1/breakers", signal).catch(nullIfForbidden),
  ]);
  return { url: api.url, health: health.body, canary, services, breakers };
}

function nullIfForbidden(error: unknown): null {
  if (error instanceof Refusal && error.code === "forbidden") return null;
  throw error;
}

/** What people see of it. */
export function stateText(state: State, nowMs: number, paint: Paint): string {
  const { url, health, canary, services, breakers } = state;
  const { status, configRevision, snapshotAgeMs, problems = [], version } = health;
  const known = new Map(breakers?.map((answer) => [answer.service, answer]));
  const tried = canary === null ? "" : `, ${paint("yellow", `canary: ${canaryText(canary)}`)}`;
  const head = [
    `${paint("bold", plain(url))}  ${paint(status === "ok" ? "green" : "red", status)}`,
    `revision ${configRevision}, ${Math.round(snapshotAgeMs)} ms old, worker ${plain(version) || "unknown"}${tried}`,
    ...problems.map((problem) => paint("red", plain(problem))),
  ];
  const rows = services.map((service) => serviceCells(service, breakers === null ? null : known.get(service.service)));
  const listed = table(["SERVICE", "ORIGINS", "READY", "BREAKERS", "NOTE"], rows, paint);
  return [...head, "", listed, "", originsTable(services, nowMs, paint)].join("\n");
}

function serviceCells({ service, origins, frozen }: Service, breakers: Breakers | null | undefined): Cell[] {
  const ready = origins.filter(({ state }) => state === "ready").length;
  const readyColour: Colour = ready === 0 ? "red" : ready < origins.length ? "yellow" : "green";
  const note = frozen ? (["frozen: a mass expiry is suspected", "red"] as const) : "";
  return [service, `${origins.length}`, [`${ready}`, readyColour], breakersCell(breakers), note];
}

/** `v2 open, v1 half-open`; `closed` when all are; nothing when there are none. */
function breakersCell(answer: Breakers | null | undefined): Cell {
  if (answer === null) return "?";
  if (answer === undefined) return "";
  const { forced, breakers, ejected } = answer;
  const odd = breakers.flatMap(({ version, state, forced: order }) => {
    if (order !== "auto") return [`${version || "no version"} ${order}`];
    return state === "closed" ? [] : [`${version || "no version"} ${state}`];
  });
  const all = [
    ...(forced === "auto" ? [] : [forced]),
    ...odd,
    ...(ejected.length > 0 ? [`${counted(ejected.length, "origin")} ejected`] : []),
  ];
  return all.length === 0 ? ["closed", "green"] : [all.join(", "), "red"];
}
