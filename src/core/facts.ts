/**
 * What the decisions of the core may know of a request. The pipeline makes it from a Request, the explain call from a
 * JSON document; both therefore get the same answers.
 */
export interface RequestFacts {
  /** As received: HTTP methods are case-sensitive. */
  readonly method: string;
  /** Lower case, without port and without one trailing dot. An IPv6 address keeps its brackets. */
  readonly host: string;
  /** The path as received, from its first "/", without the query. Dot segments are already resolved. */
  readonly path: string;
  /** Value of a header, by its lower-case name; a repeated header is its values joined by ", "; null when absent. */
  header(name: string): string | null;
  /** First value of a query parameter, decoded; "" for a bare `?name`; null when absent. */
  query(name: string): string | null;
  /** First value of a cookie; null when absent. */
  cookie(name: string): string | null;
  /** Address of the client, in canonical text form; null when the platform gave none. */
  readonly clientIp: string | null;
  /** `AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`, as the platform says it; null when it does not know. */
  readonly continent: string | null;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country: string | null;
  /** ISO 3166-2 without the country: `CA`, `03`. */
  readonly region: string | null;
  /** IATA code of the data centre that took the request. */
  readonly colo: string | null;
}

/** The same request with another method. */
export function withMethod(facts: RequestFacts, method: string): RequestFacts {
  return {
    ...shownFacts(facts),
    method,
    header: (name) => facts.header(name),
    query: (name) => facts.query(name),
    cookie: (name) => facts.cookie(name),
  };
}

/** What can be said of a request without a question. */
export function shownFacts(facts: RequestFacts): Omit<RequestFacts, "header" | "query" | "cookie"> {
  const { method, host, path, clientIp, continent, country, region, colo } = facts;
  return { method, host, path, clientIp, continent, country, region, colo };
}

/** Where a named value of a request comes from. */
export type ValueSource = "header" | "query" | "cookie";

/** One condition on one named value of a request. */
export interface Criterion {
  readonly source: ValueSource;
  /** Lower case for headers. */
  readonly name: string;
  readonly kind: "exact" | "prefix" | "regex" | "present";
  /** What the document says: the exact value, the prefix or the expression; "true" or "false" for `present`. */
  readonly expected: string;
  /** Decides for a regex on a value that is present; whole value, linear time. Only for `regex`. */
  readonly test?: (value: string) => boolean;
}

/** Reads the named value of a request. */
export function readValue(facts: RequestFacts, source: ValueSource, name: string): string | null {
  switch (source) {
    case "header":
      return facts.header(name);
    case "query":
      return facts.query(name);
    case "cookie":
      return facts.cookie(name);
  }
}

/** Does the request fulfil the criterion? An absent value fulfils only `present: false`. */
export function meets(criterion: Criterion, facts: RequestFacts): boolean {
  const value = readValue(facts, criterion.source, criterion.name);
  switch (criterion.kind) {
    case "present":
      return (value !== null) === (criterion.expected === "true");
    case "exact":
      return value === criterion.expected;
    case "prefix":
      return value?.startsWith(criterion.expected) ?? false;
    case "regex":
      return value !== null && criterion.test?.(value) === true;
  }
}
