/** What `/v1/explain` answers, for people. */
import type { z } from "zod";
import type * as schema from "../src/schema/api.ts";
import { type Cell, type Paint, plain, table } from "./output.ts";

export type Explanation = z.output<typeof schema.ExplainAnswer>;

/** Paragraphs in the order of the decisions; what was not decided is left out. */
export function explanationText(answer: Explanation, paint: Paint): string {
  const sections = [
    ["", outcomeText(answer, paint)],
    ["Route", routesText(answer.routes, paint)],
    ["Limits", limitsText(answer.limits, paint)],
    ["Fault", faultText(answer.fault)],
    ["Version", versionText(answer.version)],
    ["Origins", originsText(answer.origins, paint)],
    ["Sent", sentText(answer.sent)],
    ["Answered", answer.answered === null ? "" : headersText(answer.answered)],
  ] as const;
  return sections
    .filter(([, text]) => text !== "")
    .map(([title, text]) => (title === "" ? text : `${paint("bold", title)}\n${text.replaceAll(/^(?=.)/gm, "  ")}`))
    .join("\n\n");
}

function outcomeText({ outcome, request, revision, version }: Explanation, paint: Paint): string {
  const asked = request === null ? "The request" : `${request.method} ${request.host}${request.path}`;
  const { kind, status, error, fallback } = outcome;
  const service = version?.service ?? "an origin";
  const texts = {
    forward: () => paint("green", `is forwarded to ${plain(service)}`),
    redirect: () => paint("cyan", `is redirected with ${status}`),
    preflight: () => paint("cyan", `is a preflight, answered with ${status}`),
    error: () =>
      paint("red", `is refused with ${status} ${error}`) + (fallback === null ? "" : `; ${fallback} answers instead`),
  };
  return `${plain(asked)} ${texts[kind]()}, by revision ${revision}`;
}

function routesText(routes: Explanation["routes"], paint: Paint): string {
  if (routes === null) return "";
  const { winner, losers, more } = routes;
  const describe = ({ route, host, path }: NonNullable<typeof winner>) => `${route} (${host ?? "every host"}, ${path})`;
  const params = Object.entries(winner?.params ?? {}).map(([name, value]) => `${name}=${value}`);
  return [
    winner === null ? paint("red", "none matches") : paint("green", plain([describe(winner), ...params].join(" "))),
    ...losers.map(({ route, criterion, detail }) => plain(`not ${route}: ${detail} [${criterion}]`)),
    ...(more > 0 ? [`and ${more} more that lose`] : []),
  ].join("\n");
}

function limitsText(limits: Explanation["limits"], paint: Paint): string {
  return limits
    .map(({ limit, key, mode, cost, allowed, windows, leased }) => {
      const verdict =
        allowed === null ? paint("yellow", "unknown") : allowed ? paint("green", "allowed") : paint("red", "refused");
      const free = (windows ?? []).map(
        ({ kind, free, resetSeconds }) => `${kind}: ${free} free, more in ${Math.ceil(resetSeconds)} s`,
      );
      const rest = [
        `cost ${cost}`,
        ...free,
        ...(leased > 0 ? [`${leased} leased`] : []),
        ...(mode === "shadow" ? ["shadow"] : []),
      ];
      return `${plain(`${limit}, key ${key ?? "missing"}`)}: ${verdict}; ${rest.join("; ")}`;
    })
    .join("\n");
}

function faultText(fault: Explanation["fault"]): string {
  if (fault === null) return "";
  const { percent, delayMs, abortStatus } = fault;
  return `${percent} %: ${delayMs} ms of delay${abortStatus === null ? "" : `, then ${abortStatus}`}`;
}

function versionText(decided: Explanation["version"]): string {
  if (decided === null) return "";
  const { version, reason, rule, passed, split } = decided;
  const by = rule === null ? "" : `, rule ${rule}`;
  const head = reason === null ? "refused" : `${version ?? "every version"}, because of ${reason}${by}`;
  const sides = split?.ranges.map(({ version: side, from, to }) => `${side} ${from} to ${to - 1}`).join(", ");
  const bucket = split?.bucket == null ? "drawn for each request" : `bucket ${split.bucket}, by ${split.key?.source}`;
  return [
    head,
    ...passed.map(({ rule: index, why }) => `not rule ${index}: ${why}`),
    ...(split ? [`${bucket} (${sides})`] : []),
  ]
    .map(plain)
    .join("\n");
}

function originsText(origins: Explanation["origins"], paint: Paint): string {
  if (origins === null) return "";
  const { policy, zone, hashKey, panic, candidates, more } = origins;
  const head = [
    policy,
    zone && `zone ${zone}`,
    hashKey && `hashed on ${hashKey}`,
    panic && "panic: bad ones are used too",
  ];
  const rows = candidates.map(
    ({ id, url, version, weight, zone: at, state, ejected, breaker, usable, chance }): Cell[] => [
      ...[id, version ?? "", `${weight}`, at ?? "", ejected ? "ejected" : state, breaker ?? ""],
      usable ? ["yes", "green"] : ["no", "red"],
      ...[chance === null ? "by load" : `${Math.round(chance * 1_000) / 10} %`, url],
    ],
  );
  const headings = ["ORIGIN", "VERSION", "WEIGHT", "ZONE", "STATE", "BREAKER", "USABLE", "CHANCE", "URL"];
  const listed = rows.length === 0 ? paint("red", "none") : table(headings, rows, paint);
  return [plain(head.filter(Boolean).join(", ")), listed, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

function sentText(sent: Explanation["sent"]): string {
  if (sent === null) return "";
  return `${plain(`${sent.method} ${sent.target}`)}\n${headersText(sent.headers)}`;
}

function headersText(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => plain(`${name}: ${value}`))
    .join("\n");
}
