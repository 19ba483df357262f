/** Configurations of other gateways, and descriptions of APIs, as documents of ours. */
export { importGatewayApi } from "./gateway-api/index.ts";
export { importKong } from "./kong/index.ts";
export { importOpenApi } from "./openapi/index.ts";
export { summarize } from "./summary.ts";
export type { Imported, Note, Place } from "./types.ts";
