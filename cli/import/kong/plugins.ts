/** What plugins do to the routes that they are for. */

import { bounds } from "../../../src/bounds.ts";
import { corsHeaders, corsMaxAge, corsMethods, corsOrigins } from "../cors.ts";
import type { HeaderEdits } from "../headers.ts";
import type { Part } from "../reader.ts";
import type { RateLimit, Route } from "../types.ts";
import { type Canary, canaryOf } from "./canary.ts";
import type { Plugin } from "./entities.ts";
import { rateLimiting, rateLimitingAdvanced } from "./limits.ts";
import { transformHeaders } from "./transform.ts";

/** What one plugin asks for. */
export interface Effect {
  readonly limit?: RateLimit | undefined;
  readonly cors?: Route["cors"];
  readonly request?: HeaderEdits | undefined;
  readonly response?: HeaderEdits | undefined;
  /** The answer instead of the service's. */
  readonly answer?: Route["fallback"];
  readonly canary?: Canary | undefined;
}

/** Without these a service is open that was not. */
const guards =
  /auth|^(acl|jwt|jwt-signer|oauth2|oauth2-introspection|openid-connect|saml|session|ip-restriction|bot-detection|opa)$/;

/** Translates a plugin that some route has. What has no counterpart is noted and asks for nothing. */
export function effectOf({ name, part }: Plugin): Effect {
  const config = part.get("config");
  switch (name) {
    case "rate-limiting":
      return { limit: rateLimiting(config) };
    case "rate-limiting-advanced":
      return { limit: rateLimitingAdvanced(config) };
    case "cors":
      return { cors: corsOf(config) };
    case "request-transformer":
    case "request-transformer-advanced":
      return { request: transformHeaders(config, "request") };
    case "response-transformer":
    case "response-transformer-advanced":
      return { response: transformHeaders(config, "response") };
    case "request-termination":
      return { answer: answerOf(part, config) };
    case "canary":
      return { canary: canaryOf(part, config) };
    case "request-size-limiting":
      part.drop("request-size-limiting of one route or service", "gateway.maxBodyBytes is for all of them.");
      return {};
    default: {
      const open = "Requests get through without it: put another guard in front of the service first.";
      part.drop(`plugin ${name}`, guards.test(name) ? open : "The gateway does nothing in its place.");
      return {};
    }
  }
}

const sizeFactors: Readonly<Record<string, number>> = { bytes: 1, kilobytes: 1_024, megabytes: 1_048_576 };

/** `request-size-limiting` of everything, in bytes. */
export function maxBodyBytesOf({ part }: Plugin): number {
  const config = part.get("config");
  const unit = config.get("size_unit").text() ?? "megabytes";
  const factor = Object.hasOwn(sizeFactors, unit) ? sizeFactors[unit] : undefined;
  if (factor === undefined) config.get("size_unit").drop(`size unit ${unit}`, "Taken for megabytes.");
  const size = config.get("allowed_payload_size");
  const wanted = (size.number() ?? 128) * (factor ?? 1_048_576);
  const bytes = Math.min(Math.max(0, Math.round(wanted)), bounds.bodyBytesMax);
  if (bytes !== wanted) size.bend("allowed_payload_size", `It is ${bytes} bytes.`);
  return bytes;
}

function corsOf(config: Part): NonNullable<Route["cors"]> {
  const exposed = config.get("exposed_headers");
  return {
    allowOrigins: config.get("origins").exists ? corsOrigins(config.get("origins")) : ["*"],
    allowMethods: config.get("methods").exists ? corsMethods(config.get("methods")) : corsMethodsDefault,
    allowHeaders: config.get("headers").exists ? corsHeaders(config.get("headers")) : ["*"],
    ...(exposed.exists && { exposeHeaders: corsHeaders(exposed) }),
    allowCredentials: config.get("credentials").flag() ?? false,
    ...corsMaxAge(config.get("max_age")),
  };
}

const corsMethodsDefault = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

/** The answer of a service that has no origins: the gateway's own, from its store. */
function answerOf(plugin: Part, config: Part): Route["fallback"] {
  const trigger = config.get("trigger");
  if (trigger.exists) {
    plugin.drop("request-termination with a trigger", "Requests with the trigger reach the service.");
    return undefined;
  }
  const [status = 503, message, text] = [
    config.get("status_code").number(),
    config.get("message").text(),
    config.get("body").text(),
  ];
  if (status < 200) config.get("status_code").bend(`status ${status}`, "The answer is 503.");
  const body = text === undefined ? (message === undefined ? undefined : { message }) : parsed(text);
  if (text !== undefined && body === undefined) config.get("body").drop("body of an answer", "A body is JSON.");
  return { status: status < 200 ? 503 : status, ...(body !== undefined && { body }) };
}

function parsed(text: string): NonNullable<Extract<Route["fallback"], { body?: unknown }>["body"]> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
