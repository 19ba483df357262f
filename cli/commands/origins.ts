/** `sluice origins` */
import type { Api } from "../api.ts";
import { exits } from "../failure.ts";
import { withProgress } from "../progress.ts";
import { originsTable, readPages, type Service, servicePath } from "../services.ts";
import { options, type Spec } from "../spec.ts";

export const origins: Spec = {
  usage: "origins [service]",
  summary: "list the origins of a service, or of all",
  description: [
    "Lists origins with their state, what is left of their lease (`static`: listed in the configuration), and the results of health checks in a row.",
    "Needs the viewer token or the registrar's.",
  ],
  arguments: { service: "name of a service; all when left out" },
  options: [options.url(), options.json("{services}")],
  examples: [["sluice origins users", "Who serves users?"]],
  run: async ({ io, out, api }, _, service) => {
    const gateway = api();
    const services = await withProgress(io, `Reading ${gateway.url}`, read(gateway, service));
    if (out.isJson) out.json({ services });
    out.text(originsTable(services, Date.now(), out.paint));
    return exits.ok;
  },
};

async function read(gateway: Api, service: string | undefined): Promise<Service[]> {
  if (service === undefined) return readPages<Service>(gateway, "/v1/services");
  return [(await gateway.call<Service>(servicePath(service))).body];
}
