/** The CLI's own help -> docs/cli.md. */
import { Readable } from "node:stream";
import { nameOf } from "../cli/help.ts";
import { newProgram } from "../cli/program.ts";

const intro = `# Command line

<!-- Made from the help of the commands by \`npm run generate\`; do not edit. -->

In a clone of the project, after \`npm ci\`: \`npx sluice\`. How the commands are used together: [operations](operations.md). What the files say:
[configuration reference](configuration.md).
`;

/** The page. */
export function cliReference(): string {
  const writer = { write: () => {} };
  const stopSignal = () => new AbortController().signal;
  const program = newProgram(
    { env: {}, stdin: Readable.from([]), stdout: writer, stderr: writer, stopSignal },
    () => {},
  );
  const pages = [program, ...program.commands].map(
    (command) => `## ${nameOf(command)}\n\n\`\`\`text\n${command.helpInformation()}\`\`\`\n`,
  );
  return `${intro}\n${pages.join("\n")}`;
}
