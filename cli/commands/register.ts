/** `sluice register` */
import { Option } from "commander";
import { bounds } from "../../src/bounds.ts";
import { exits } from "../failure.ts";
import { keepRegistered, type Lease, type Origin, registerOnce } from "../lease.ts";
import { limits } from "../limits.ts";
import { plain } from "../output.ts";
import { withProgress } from "../progress.ts";
import { type Context, numberFrom, options, type Spec } from "../spec.ts";

interface Options {
  readonly id?: string;
  readonly version?: string;
  readonly weight?: number;
  readonly zone?: string;
  readonly ttl?: number;
  readonly keep?: boolean;
  readonly grace: number;
}

export const register: Spec<Options> = {
  usage: "register <service> <url>",
  summary: "register an origin of a service",
  description: [
    "Registers an origin and prints its lease. It gets traffic within a second, until the lease ends. An origin that registers under its id again replaces itself.",
    "With --keep the lease is renewed, and taken anew whenever it is lost, until SIGINT or SIGTERM. Then the origin is drained and, after --grace, removed; a second signal ends the process at once. With --json each event is one line.",
    "Needs the registrar token.",
  ],
  arguments: {
    service: "name of a service that the configuration declares",
    url: "where the gateway reaches the origin",
  },
  options: [
    new Option("--id <id>", "id of the origin; the gateway chooses one when left out"),
    new Option("--version <version>", "version of the service that it serves"),
    new Option("--weight <number>", "share of the traffic; 1 when left out, 0 = none").argParser(
      numberFrom(0, bounds.weightMax, false),
    ),
    new Option("--zone <zone>", "where it runs"),
    new Option("--ttl <seconds>", "length of the lease; the service's default when left out").argParser(
      numberFrom(bounds.leaseTtlSecondsMin, bounds.leaseTtlSecondsMax),
    ),
    new Option("--keep", "renew the lease until a signal comes, then leave"),
    new Option("--grace <seconds>", "with --keep: time between drain and removal")
      .argParser(numberFrom(0, limits.leaveSecondsMax))
      .default(limits.leaveSecondsDefault),
    options.url(),
    options.json("the lease"),
  ],
  examples: [
    ["sluice register users http://10.0.0.7:8080 --id users-a --version v2 --ttl 60", "Register for a minute:"],
    ["sluice register users http://10.0.0.7:8080 --keep", "Stay registered for as long as this command runs:"],
  ],
  run: async (context, given, service = "", url = "") => {
    const { io, out } = context;
    const api = context.api();
    const { id, version, weight, zone, ttl } = given;
    const origin: Origin = { service, id, registration: { url, version, weight, zone, ttlSeconds: ttl } };
    if (given.keep) {
      const left = await keepRegistered(api, origin, given.grace, io.stopSignal(), teller(context));
      return left ? exits.ok : exits.error;
    }
    const lease = await withProgress(io, `Registering at ${api.url}`, registerOnce(api, origin));
    if (out.isJson) out.json(lease);
    out.text(leaseText(lease));
    return exits.ok;
  },
};

/** Tells of each event: one line, of JSON with --json. */
function teller({ out }: Context) {
  return (event: string, text: string, members: object) => {
    if (out.isJson) out.json({ time: new Date().toISOString(), event, ...members }, true);
    else out.note(plain(text));
  };
}

function leaseText({ service, origin, leaseId, heartbeatSeconds, expiresAt }: Lease): string {
  const [head, lease] = [
    `${service}/${origin} is registered until ${expiresAt}`,
    `lease ${leaseId}, to be renewed every ${heartbeatSeconds} s`,
  ];
  return `${plain(head)}\n${plain(lease)}`;
}
