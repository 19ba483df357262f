/**
 * Keeps a service registered with a Sluice gateway. Copy this file; it needs Node.js 18 or later and nothing else.
 *
 *     const registration = keepRegistered({ gateway, token, service: "users", version: "v1", url });
 *     process.once("SIGTERM", async () => {
 *       await registration.stop(); // no new requests
 *       server.close();
 *     });
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

/** Deadline of one call to the gateway. */
const callMsMax = 5_000;
/** Shortest and longest pause after a failed call. */
const backoffMsMin = 500;
const backoffMsMax = 30_000;

/**
 * @typedef {object} Options
 * @property {string} gateway Base URL of the gateway: `https://gateway.example.com`.
 * @property {string} token The gateway's REGISTRAR_TOKEN.
 * @property {string} service A service that the gateway's configuration declares.
 * @property {string} url Where the gateway reaches this origin; may have a path, to which the request's is appended.
 * @property {string} [origin] Id of this process, not shared with another one that runs; a random one when left out.
 * @property {string} [version] Version of the service that this origin serves.
 * @property {number} [weight] Share of the traffic, relative to the other origins; 1 when left out, 0 = none.
 * @property {string} [zone] Where the origin runs.
 * @property {Record<string, string>} [metadata] Shown in the list of origins.
 * @property {number} [ttlSeconds] Length of the lease; the service's default when left out.
 * @property {Log} [log] `console` when left out.
 */

/** @typedef {(level: "info" | "warn" | "error", message: string) => void} Log */

/**
 * @typedef {object} Registration
 * @property {string} origin Id under which the origin is listed.
 * @property {() => Promise<void>} stop Ends the heartbeats and removes the origin from the gateway. Never rejects; takes
 *   at most two calls' deadlines, also when the gateway is gone (the lease then ends by itself). May be called again.
 */

/**
 * Registers the origin, renews its lease, and registers it again whenever the lease is lost, until `stop`. The gateway,
 * and the service in its configuration, may come later: it is tried for ever. Only a first registration that the gateway
 * refuses as wrong (a bad token, a bad URL) is final; it is logged as an error. Does not keep the process alive.
 *
 * @param {Options} options
 * @returns {Registration}
 */
export function keepRegistered(options) {
  const origin = options.origin ?? randomUUID();
  const stopping = new AbortController();
  const ended = run({ ...options, origin }, options.log ?? toConsole, stopping.signal);
  return {
    origin,
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}

/**
 * Pause before the next try: "full jitter", uniform between the shortest pause and a ceiling that doubles with each
 * failure up to the longest, so that many origins do not come back at once.
 *
 * @param {number} failures Failed tries in a row before this one: 0, 1, ...
 * @param {number} random In [0, 1).
 * @returns {number} Milliseconds.
 */
export function backoffMs(failures, random) {
  const ceilingMs = Math.min(backoffMsMax, 2 * backoffMsMin * 2 ** failures);
  return backoffMsMin + random * (ceilingMs - backoffMsMin);
}

/**
 * Pause before the next heartbeat: what the gateway asked for, +-20 %.
 *
 * @param {number} heartbeatSeconds
 * @param {number} random In [0, 1).
 * @returns {number} Milliseconds.
 */
export function heartbeatMs(heartbeatSeconds, random) {
  return heartbeatSeconds * 1_000 * (0.8 + 0.4 * random);
}

/**
 * @param {Options & { origin: string }} options
 * @param {Log} log
 * @param {AbortSignal} stopping
 */
async function run(options, log, stopping) {
  const name = `${options.service}/${options.origin}`;
  /** @type {string | null} */
  let leaseId = null;
  let wasRegistered = false;
  let failures = 0;
  while (!stopping.aborted) {
    let pauseMs;
    try {
      let heartbeatSeconds;
      if (leaseId === null) {
        ({ leaseId, heartbeatSeconds } = await register(options));
        wasRegistered = true;
        log("info", `${name} is registered at ${options.gateway}`);
      } else {
        heartbeatSeconds = await renew(options, leaseId);
      }
      failures = 0;
      pauseMs = heartbeatMs(heartbeatSeconds, Math.random());
    } catch (error) {
      const failure = failureOf(error);
      if (leaseId !== null && failure.code === "lease_not_found") {
        log("warn", `${name} has lost its lease and registers again`);
        leaseId = null;
        continue;
      }
      if (!wasRegistered && failure.final) {
        log("error", `${name} is NOT registered, the gateway refused it: ${failure.message}`);
        return;
      }
      pauseMs = backoffMs(failures++, Math.random());
      const what = leaseId === null ? "is not registered" : "could not renew its lease";
      log("warn", `${name} ${what}: ${failure.message}; next try in ${(pauseMs / 1_000).toFixed(1)} s`);
    }
    await sleep(pauseMs, undefined, { signal: stopping, ref: false }).catch(() => {});
  }
  await call(options, "DELETE", "").then(
    () => log("info", `${name} is deregistered`),
    (error) => log("warn", `${name} could not deregister, its lease will expire: ${failureOf(error).message}`),
  );
}

/**
 * @param {Options & { origin: string }} options
 * @returns {Promise<{ leaseId: string, heartbeatSeconds: number }>}
 */
async function register(options) {
  const { url, version, weight, zone, metadata, ttlSeconds } = options;
  const answer = await call(options, "PUT", "", { url, version, weight, zone, metadata, ttlSeconds });
  if (typeof answer?.leaseId !== "string") throw new Error("the answer has no leaseId: is this a Sluice gateway?");
  return { leaseId: answer.leaseId, heartbeatSeconds: secondsOf(answer) };
}

/**
 * @param {Options & { origin: string }} options
 * @param {string} leaseId
 * @returns {Promise<number>} Seconds to the next heartbeat.
 */
async function renew(options, leaseId) {
  return secondsOf(await call(options, "POST", "/heartbeat", { leaseId }));
}

/** @param {any} answer */
function secondsOf(answer) {
  if (!(answer?.heartbeatSeconds > 0)) throw new Error("the answer has no heartbeatSeconds: is this a Sluice gateway?");
  return /** @type {number} */ (answer.heartbeatSeconds);
}

/** A refusal by the gateway. */
class Refusal extends Error {
  /**
   * @param {number} status
   * @param {any} problem The problem document (RFC 9457), null when there is none.
   */
  constructor(status, problem) {
    const errors = (problem?.errors ?? []).map((/** @type {any} */ { pointer, detail }) => `${pointer} ${detail}`);
    super([`HTTP ${status}`, problem?.code, problem?.detail, ...errors].filter(Boolean).join(", "));
    this.status = status;
    this.code = problem?.code;
  }
}

/**
 * One call for this origin. Rejects on any answer but a success.
 *
 * @param {Options & { origin: string }} options
 * @param {"PUT" | "POST" | "DELETE"} method
 * @param {string} action
 * @param {object} [body]
 * @returns {Promise<any>} The JSON of the answer, null when it has none.
 */
async function call({ gateway, token, service, origin }, method, action, body) {
  const path = `/_sluice/v1/services/${encodeURIComponent(service)}/origins/${encodeURIComponent(origin)}${action}`;
  const response = await fetch(gateway.replace(/\/+$/, "") + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body ? { "content-type": "application/json" } : {}) },
    redirect: "error", // the token must not go elsewhere
    signal: AbortSignal.timeout(callMsMax),
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const answer = await response.text().then(parsed);
  if (!response.ok) throw new Refusal(response.status, answer);
  return answer;
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * What a failed call means. `final`: the same call will not succeed until somebody changes something here.
 *
 * @param {any} error
 * @returns {{ message: string, code: string | undefined, final: boolean }}
 */
function failureOf(error) {
  if (!(error instanceof Refusal)) {
    return { message: error.cause?.code ?? error.cause?.message ?? error.message, code: undefined, final: false };
  }
  const { status, code, message } = error;
  // The configuration may declare the service, or drop a static origin of this id, later.
  const passing = code === "service_unknown" || status === 409 || status === 408 || status === 429;
  return { message, code, final: status >= 400 && status < 500 && !passing };
}

/** @type {Log} */
function toConsole(level, message) {
  console[level](`sluice: ${message}`);
}
