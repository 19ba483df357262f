/** `sluice explain` */
import { InvalidArgumentError, Option } from "commander";
import { type Explanation, explanationText } from "../explanation.ts";
import { exits } from "../failure.ts";
import { withProgress } from "../progress.ts";
import { options, type Spec } from "../spec.ts";

type Headers = Readonly<Record<string, string>>;

interface Options {
  readonly method?: string;
  readonly header?: Headers;
  readonly ip?: string;
  readonly country?: string;
}

export const explain: Spec<Options> = {
  usage: "explain <url>",
  summary: "say what would become of a request, and why",
  description: [
    "Shows the route that the request would take and by what every other route loses; the version and the rule that chooses it; the limits that apply, with what is free; the origins it may go to; and what would be sent. No origin is called and no limit is spent.",
    "Needs the viewer token.",
  ],
  arguments: { url: "URL as a client asks for it, or a path, which is of the gateway's URL then" },
  options: [
    new Option("-X, --method <method>", "method of the request").default("GET"),
    new Option("-H, --header <header>", "header as in 'name: value'; may be given several times").argParser(withHeader),
    new Option("--ip <address>", "address of the client"),
    new Option("--country <code>", "country of the client, as in NO"),
    options.url(),
    options.json("what the admin API answers"),
  ],
  examples: [
    [
      "sluice explain https://api.example.com/users/42 -H 'x-canary: always'",
      "Why does this request go where it goes?",
    ],
    ["sluice explain /orders -X POST --ip 192.0.2.7 --country NO", "For a client somewhere else:"],
  ],
  run: async ({ io, out, api }, { method, header, ip, country }, given = "") => {
    const gateway = api();
    const url = given.startsWith("/") ? gateway.url + given : given;
    const asking = gateway.call<Explanation>("/v1/explain", {
      method: "POST",
      body: JSON.stringify({ method, url, headers: header, ip, country }),
    });
    const { body } = await withProgress(io, `Asking ${gateway.url}`, asking);
    if (out.isJson) out.json(body);
    out.text(explanationText(body, out.paint));
    return exits.ok;
  },
};

/** Adds `name: value`; of a name that is there already the values are joined, as the gateway would see them. */
function withHeader(text: string, before: Headers = {}): Headers {
  const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("It must be 'name: value'.");
  const key = name.toLowerCase();
  const joined = before[key] === undefined ? value : `${before[key]}, ${value}`;
  return { ...before, [key]: joined };
}
