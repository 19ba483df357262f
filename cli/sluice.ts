/** The CLI's entry: one run of `sluice`. */
import { CommanderError } from "commander";
import { exits, Failure } from "./failure.ts";
import { type Io, processIo } from "./io.ts";
import { paintFor, plain } from "./output.ts";
import { newProgram } from "./program.ts";

/** Runs one command line, without the name of the program. Resolves to the exit code. Throws only for a fault of the CLI. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  let code: number = exits.ok;
  const program = newProgram(io, (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    const isJson = args.includes("--json");
    if (error instanceof CommanderError) {
      if (isJson && error.exitCode !== 0) printJson(io, error.message.replace(/^error: /, ""), {});
      return error.exitCode === 0 ? exits.ok : exits.error;
    }
    if (!(error instanceof Failure)) throw error;
    if (isJson) printJson(io, error.message, error.report);
    const head = `${paintFor(io.stderr, io.env)("red", "sluice:")} ${plain(error.message)}`;
    io.stderr.write(`${[head, ...error.details].join("\n")}\n`);
    return exits.error;
  }
}

function printJson({ stdout }: Io, message: string, report: Failure["report"]): void {
  stdout.write(`${JSON.stringify({ error: { message, ...report } }, null, 2)}\n`);
}

/** Runs the command line of this process. */
export async function runProcess(): Promise<void> {
  // The reader of a pipe (`| head`) has had enough.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(exits.ok);
  });
  process.exitCode = await main(process.argv.slice(2), processIo());
}
