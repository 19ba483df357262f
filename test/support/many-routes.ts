/** A configuration of many distinct routes of every kind of path, and a request that each of them wins. */
export function manyRoutes(count: number, originUrl: string) {
  const requests = Array.from({ length: count }, (_, index) => {
    const base = `/team-${index % 25}/service-${index}`;
    const kinds = [
      { match: { exact: base }, path: base },
      { match: { prefix: base }, path: `${base}/a/b` },
      { match: { pattern: `${base}/:id/detail` }, path: `${base}/7/detail` },
      { match: { regex: `${base}/v[0-9]+` }, path: `${base}/v12` },
    ] as const;
    return { name: `route-${index}`, ...kinds[index % kinds.length]! };
  });
  const routes = requests.map(({ name, match }) => ({ name, service: "all", matches: [{ path: match }] }));
  const services = { all: { origins: [{ id: "one", url: originUrl }] } };
  return { config: { gateway: { debugHeaders: true }, services, routes }, requests };
}
