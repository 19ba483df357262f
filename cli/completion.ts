/** Completion scripts, made of the commands that there are. */

export const shells = ["bash", "zsh"] as const;

/** What can stand in a place: one of some words, the name of a file, or anything. */
type Values = readonly string[] | "file" | "any";

export interface Completable {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly {
    readonly names: readonly string[];
    readonly description: string;
    /** `none`: it takes no value. */
    readonly value: Values | "none";
  }[];
  readonly arguments: readonly Values[];
}

/** The script for a shell to read. */
export function completionScript(shell: (typeof shells)[number], commands: readonly Completable[]): string {
  return shell === "bash" ? bashScript(commands) : zshScript(commands);
}

/**
 * bash: a table of what follows each word, looked up by command and option (`diff:--overlay`) or by command and number of
 * the argument (`import:1`).
 */
function bashScript(commands: readonly Completable[]): string {
  const values = commands.flatMap(({ name, options, arguments: args }) => [
    ...options.flatMap(({ names, value }) => names.map((option) => [`${name}:${option}`, value] as const)),
    ...args.map((value, index) => [`${name}:${index + 1}`, value] as const),
  ]);
  const cases = values.flatMap(([key, value]) => (value === "none" ? [] : [`    ${key}) ${bashAction(value)} ;;`]));
  const optionCases = commands.map(
    ({ name, options }) => `    ${name}) words="${options.flatMap(({ names }) => names).join(" ")}" ;;`,
  );
  return `# bash completion for sluice
_sluice_values() {
  local current=$2
  case $1 in
${cases.join("\n")}
    *) return 1 ;;
  esac
}

_sluice() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]} words="" place=1 at
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "${[...commands.map(({ name }) => name), "--help"].join(" ")}" -- "$current"))
    return
  fi
  _sluice_values "$command:$previous" "$current" && return
  case $command in
${optionCases.join("\n")}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  # Which argument it is: words that are neither options nor values of options.
  for ((at = 2; at < COMP_CWORD; at++)); do
    if [[ \${COMP_WORDS[at]} == -* ]]; then
      if _sluice_values "$command:\${COMP_WORDS[at]}" ""; then ((at++)); fi
    else
      ((place++))
    fi
  done
  COMPREPLY=()
  _sluice_values "$command:$place" "$current"
}

complete -o filenames -F _sluice sluice
`;
}

function bashAction(values: Values): string {
  if (values === "any") return "COMPREPLY=()";
  const source = values === "file" ? "-f" : `-W "${values.join(" ")}"`;
  return `COMPREPLY=($(compgen ${source} -- "$current"))`;
}

/** zsh: \`_arguments\` does the work. */
function zshScript(commands: readonly Completable[]): string {
  const described = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  const cases = commands.map(({ name, options, arguments: args }) => {
    const specs = [
      ...options.flatMap(({ names, description, value }) =>
        names.map(
          (option) => `*${option}[${bracketed(description)}]${value === "none" ? "" : `:value:${zshAction(value)}`}`,
        ),
      ),
      ...args.map((value, index) => `${index + 1}:argument:${zshAction(value)}`),
    ];
    return `    ${name}) _arguments ${specs.map(quoted).join(" ")} ;;`;
  });
  return `#compdef sluice
_sluice() {
  local -a commands
  commands=(
${described.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join("\n")}
  esac
}

if [ "$funcstack[1]" = "_sluice" ]; then _sluice "$@"; else compdef _sluice sluice; fi
`;
}

function zshAction(values: Values): string {
  if (values === "any") return " ";
  return values === "file" ? "_files" : `(${values.join(" ")})`;
}

function bracketed(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, "\\$&");
}

/** Text as one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
