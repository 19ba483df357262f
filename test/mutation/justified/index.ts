/** The mutants of `src/core` that stay alive, and why, by room. An entry that no mutant answers to, or only killed ones, is an error. */
import type { Justification } from "../justification.ts";
import { balancing } from "./balancing.ts";
import { breaking } from "./breaking.ts";
import { checking } from "./checking.ts";
import { core } from "./core.ts";
import { cors } from "./cors.ts";
import { forwarding } from "./forwarding.ts";
import { json } from "./json.ts";
import { keys } from "./keys.ts";
import { leasing } from "./leasing.ts";
import { limiting } from "./limiting.ts";
import { regex } from "./regex.ts";
import { retrying } from "./retrying.ts";
import { routing } from "./routing.ts";
import { traffic } from "./traffic.ts";

export const justified: readonly Justification[] = [
  ...balancing,
  ...breaking,
  ...checking,
  ...core,
  ...cors,
  ...forwarding,
  ...json,
  ...keys,
  ...leasing,
  ...limiting,
  ...regex,
  ...retrying,
  ...routing,
  ...traffic,
];
