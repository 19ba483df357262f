import type { RequestFacts } from "../../../../src/core/facts.ts";

/** A request by what is particular about it; names of headers in lower case. */
export interface RequestSketch {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly cookies?: Readonly<Record<string, string>>;
  readonly clientIp?: string | null;
  readonly country?: string | null;
  readonly region?: string | null;
  readonly colo?: string | null;
}

const reader = (values: Readonly<Record<string, string>> = {}) => {
  const map = new Map(Object.entries(values));
  return (name: string) => map.get(name) ?? null;
};

/** Facts of a GET of https://api.example.com/ from an unknown place, changed as the sketch says. */
export function factsOf(sketch: RequestSketch = {}): RequestFacts {
  return {
    method: sketch.method ?? "GET",
    host: "api.example.com",
    path: sketch.path ?? "/",
    header: reader(sketch.headers),
    query: reader(sketch.query),
    cookie: reader(sketch.cookies),
    clientIp: sketch.clientIp ?? null,
    continent: null,
    country: sketch.country ?? null,
    region: sketch.region ?? null,
    colo: sketch.colo ?? null,
  };
}
