/** What a canary of the configuration is tried with. */

type Json = Readonly<Record<string, unknown>>;

/** Parts of a service that its objects go by, and so for all clients alike. */
const sharedParts = ["circuitBreaker", "outlierDetection", "maxConcurrentRequests", "healthCheck", "registration"];

/**
 * The document of a canary, with what objects decide for the whole gateway taken from the document in force: the numbers of
 * limits, breakers, ejection, concurrency, checks and registration of what both have. There cannot be two of them at once, so
 * these come into force with the promotion. Both documents are valid; neither is modified.
 */
export function canaryDocument(inForce: Json, canary: Json): Json {
  return {
    ...canary,
    ...(canary.rateLimits !== undefined && {
      rateLimits: { ...(canary.rateLimits as Json), ...common(inForce, canary) },
    }),
    ...(canary.services !== undefined && { services: servicesOf(inForce, canary.services as Json) }),
  };
}

function common({ rateLimits = {} }: Json, canary: Json): Json {
  const own = canary.rateLimits as Json;
  return Object.fromEntries(Object.entries(rateLimits as Json).filter(([name]) => Object.hasOwn(own, name)));
}

function servicesOf({ services = {} }: Json, own: Json): Json {
  return Object.fromEntries(
    Object.entries(own).map(([name, service]) => {
      if (!Object.hasOwn(services as Json, name)) return [name, service];
      const before = (services as Record<string, Json>)[name]!;
      const rest = Object.entries(service as Json).filter(([part]) => !sharedParts.includes(part));
      const shared = Object.entries(before).filter(([part]) => sharedParts.includes(part));
      return [name, Object.fromEntries([...rest, ...shared])];
    }),
  );
}
