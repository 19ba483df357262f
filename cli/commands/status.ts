/** `sluice status` */
import { Option } from "commander";
import type { Api } from "../api.ts";
import { backoffMs, pause } from "../backoff.ts";
import { exits, Failure } from "../failure.ts";
import { limits } from "../limits.ts";
import { withProgress } from "../progress.ts";
import { type Context, options, type Spec } from "../spec.ts";
import { readState, stateText } from "../state.ts";

const home = "\u001b[H";
const clearLine = "\u001b[K";
const clearBelow = "\u001b[J";
/** A screen of its own without a cursor, where long lines are cut off; and back. */
const otherScreen = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const thisScreen = "\u001b[?7h\u001b[?25h\u001b[?1049l";

export const status: Spec<{ readonly once?: boolean }> = {
  usage: "status",
  summary: "show services, origins and breakers as they are now",
  description: [
    "Shows the revision in force, a canary that is running, and the age of the snapshot in the isolate that answered, every service with its breakers, and every origin. On a terminal it is shown anew each second, until Ctrl-C; elsewhere, and with --once or --json, once.",
    "Needs the viewer token; with the registrar's, breakers and the canary are not shown.",
  ],
  options: [
    new Option("--once", "show it once, on a terminal too"),
    options.url(),
    options.json("{url, health, canary, services, breakers}"),
  ],
  examples: [
    ["sluice status", "Watch a gateway:"],
    ["sluice status --json", "Give its state to a program:"],
  ],
  run: async (context, { once }) => {
    const { io, out } = context;
    const api = context.api();
    if (!once && !out.isJson && io.stdout.isTTY === true) await live(context, api);
    else {
      const state = await withProgress(io, `Reading ${api.url}`, readState(api));
      if (out.isJson) out.json(state);
      out.text(stateText(state, Date.now(), out.paint));
    }
    return exits.ok;
  },
};

/** Shows the state again and again on a screen of its own. Throws when even the first look fails. */
async function live({ io, out }: Context, api: Api): Promise<void> {
  const stopping = io.stopSignal();
  let text = stateText(await readState(api, stopping), Date.now(), out.paint);
  let failures = 0;
  let problem = "";
  io.stdout.write(otherScreen);
  try {
    do {
      io.stdout.write(home + frame(`${text}${problem}`, io.stdout.rows || 24) + clearBelow);
      const pauseMs = failures === 0 ? limits.statusMs : backoffMs(failures, Math.random());
      if (!(await pause(pauseMs, stopping))) break;
      try {
        text = stateText(await readState(api, stopping), Date.now(), out.paint);
        [failures, problem] = [0, ""];
      } catch (error) {
        if (!(error instanceof Failure)) break;
        failures++;
        problem = `\n${out.paint("red", `as it was before: ${error.message}`)}`;
      }
    } while (!stopping.aborted);
  } finally {
    io.stdout.write(thisScreen);
  }
}

/** The lines that fit, each of which clears what was behind it; the last one without a line break, which would scroll. */
function frame(text: string, rows: number): string {
  const lines = text.split("\n");
  const shown =
    lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `... ${lines.length - rows + 1} more lines`];
  return shown.map((line) => line + clearLine).join("\n");
}
