/** `/v1/explain`: what would become of a request. The stages of the pipeline answer, which the entry hands in. */

import type * as z from "zod";
import { canonicalAddress } from "../core/forwarding/address.ts";
import { GatewayError } from "../errors.ts";
import type * as api from "../schema/api.ts";
import { targetFor } from "../target.ts";
import type { AdminApp } from "./app.ts";
import type { Explainer, SnapshotSource } from "./context.ts";
import * as calls from "./explain-calls.ts";
import { isOwn } from "./own.ts";

/** Adds the call to the admin app. */
export function mountExplain(app: AdminApp, snapshots: SnapshotSource, explain: Explainer): void {
  app.add(calls.explainRequest, async (c) => {
    const question = c.req.valid("json");
    const url = urlOf(question.url);
    if (isOwn(targetFor(url.href), c.env))
      throw invalid("#/url", "is an address of the gateway's own, which is no traffic");
    const request = requestOf(question, url);
    const snapshot = await snapshots.current(c.env, c.executionCtx as ExecutionContext);
    if (!snapshot) throw new GatewayError("gateway_unconfigured");
    return c.json(await explain(request, snapshot, c.env), 200);
  });
}

/** The URL as a request has it: no fragment arrives at a server. */
function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) throw invalid("#/url", "must be an http or https URL");
  if (url.username !== "" || url.password !== "") throw invalid("#/url", "must not have credentials");
  url.hash = "";
  return url;
}

/** The request as the platform would hand it to the gateway. */
function requestOf({ method, headers, ip, ...place }: z.output<typeof api.Explain>, url: URL): Request {
  const sent = new Headers(headers);
  sent.set("host", url.host);
  // Whoever connects cannot choose what the platform says of him.
  sent.delete("cf-connecting-ip");
  if (ip !== undefined) {
    if (canonicalAddress(ip) === null) throw invalid("#/ip", "must be an IP address");
    sent.set("cf-connecting-ip", ip);
  }
  const { continent, country, region: regionCode, colo } = place;
  const cf = { continent, country, regionCode, colo } as unknown as CfProperties;
  try {
    return new Request(url, { method, headers: sent, cf });
  } catch (error) {
    throw invalid("#/method", `is none that a request can have here: ${(error as Error).message}`);
  }
}

function invalid(pointer: string, detail: string): GatewayError {
  return new GatewayError("invalid_request", { detail: "The body is not valid.", errors: [{ detail, pointer }] });
}
