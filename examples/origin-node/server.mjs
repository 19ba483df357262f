/** A service that registers itself, to try a gateway with. Answers every request with JSON that says who answered. */
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { keepRegistered } from "./sluice.mjs";

const { PORT = "0", SERVICE = "users", VERSION = "v1", ORIGIN_ID, SLUICE_URL, SLUICE_TOKEN } = process.env;

/** The gateway's isolates know of a change within a second: until then requests may still come. */
const lateRequestsMs = 1_000;
/** Time for requests under way, after which they are cut. */
const finishMsMax = 10_000;
/** Request headers that are shown in the answer. */
const shown = [
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-user-id",
  "x-canary",
  "api-version",
];

if (!SLUICE_URL || !SLUICE_TOKEN) {
  console.error("Set SLUICE_URL (http://127.0.0.1:8787) and SLUICE_TOKEN (the gateway's REGISTRAR_TOKEN).");
  process.exit(1);
}

/** @type {import("./sluice.mjs").Registration | undefined} */
let registration;

const server = createServer((request, response) => {
  request.resume();
  const headers = Object.fromEntries(
    shown.filter((name) => request.headers[name]).map((name) => [name, request.headers[name]]),
  );
  const { method, url: path } = request;
  response.setHeader("content-type", "application/json");
  response.end(
    `${JSON.stringify({ service: SERVICE, version: VERSION, origin: registration?.origin, method, path, headers })}\n`,
  );
});

server.on("error", (error) => {
  console.error(`cannot listen on port ${PORT}: ${error.message}`);
  process.exit(1);
});

server.listen(Number(PORT), "127.0.0.1", () => {
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  registration = keepRegistered({
    gateway: SLUICE_URL,
    token: SLUICE_TOKEN,
    service: SERVICE,
    version: VERSION,
    url: `http://127.0.0.1:${address.port}`,
    ...(ORIGIN_ID ? { origin: ORIGIN_ID } : {}),
  });
  console.info(`${SERVICE} ${VERSION} ${registration.origin} listens on http://127.0.0.1:${address.port}`);
});

let stopping = false;

/** Leaves the gateway first, so that no request is sent to a closed port; then finishes what is under way. */
async function stop() {
  if (stopping) return;
  stopping = true;
  await registration?.stop();
  await sleep(lateRequestsMs);
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), finishMsMax).unref();
}

process.on("SIGTERM", stop);
process.on("SIGINT", stop);
