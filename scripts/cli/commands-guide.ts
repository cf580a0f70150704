import type { Command } from 'commander'
import { manual } from './manual.ts'
import { createProgram } from './program.ts'
import type { Terminal } from './terminal.ts'

const general = new Set(['--hub', '--token', '--json', '--quiet', '--help', '--version'])

/** docs/commands.md: every verb with what it takes, an example, and what it prints with `--json`. */
export function commandsGuide(): string {
  const nobody = { env: {}, columns: 80, out: () => {}, err: () => {} } as unknown as Terminal
  const program = createProgram(
    { terminal: nobody, signal: new AbortController().signal, onInterrupt: () => () => {} },
    '',
  )
  return [introduction, ...verbsOf(program, '').map(section)].join('\n')
}

interface Verb {
  readonly path: string
  readonly command: Command
}

/** The verbs that do something, in the order of `fernlab --help`. */
export function verbsOf(command: Command, path: string): Verb[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((verb) => verb.name() !== 'help')
    .flatMap((verb) => {
      const here = `${path} ${verb.name()}`.trim()
      return verb.commands.length > 0 ? verbsOf(verb, here) : [{ path: here, command: verb }]
    })
}

function section({ path, command }: Verb): string {
  const help = command.createHelp()
  const words = command.registeredArguments.map((one) =>
    ` ${help.argumentTerm(one)}`.replace(/ (\S+)/, (_, name) => (one.required ? ` <${name}>` : ` [${name}]`)),
  )
  const choices = command.registeredArguments.flatMap(({ argChoices, name }) =>
    argChoices === undefined ? [] : [`- \`${name}\`: ${argChoices.join(', ')}`],
  )
  const options = help
    .visibleOptions(command)
    .filter(({ long }) => !general.has(long ?? ''))
    .map((option) => `- \`${option.flags}\`: ${help.optionDescription(option)}`)
  const { example = '', json } = manual[path] ?? {}
  return [
    `## fernlab ${path}${words.join('')}`,
    '',
    `${command.description().replace(/^./, (first) => first.toUpperCase())}.`,
    ...(choices.length + options.length === 0 ? [] : ['', ...choices, ...options]),
    '',
    '```sh',
    example,
    '```',
    ...(json === undefined ? [] : ['', `With \`--json\`: ${json}.`]),
    '',
  ].join('\n')
}

const introduction = `# The command line

\`fernlab VERB --help\` says the same. In a clone, \`fernlab\` is \`npx fernlab\`.

**Which hub, and who.** \`--hub ADDRESS\` on any verb that talks to one; else \`FERNLAB_HUB\`, \`FERNLAB_PUBLIC_URL\`, the hub that runs on the data folder here (\`FERNLAB_DATA\`, else \`./data\`), the hub that you logged in to last, \`http://127.0.0.1:8080\`. \`--token TOKEN\`; else \`FERNLAB_TOKEN\`, the token that \`fernlab login\` kept for that hub in \`~/.config/fernlab/client.json\` (\`XDG_CONFIG_HOME\`), \`FERNLAB_ADMIN_TOKEN\`. \`FERNLAB_TLS_CA\` names the PEM of an authority to trust besides the well-known ones.

**What it prints.** The result goes to standard output; hints, questions and errors go to standard error. \`--quiet\` leaves out hints and progress. \`--json\` prints JSON instead, and asks nobody anything: what would be asked is read from standard input, line by line. What the JSON holds is said below each verb; where it is the answer of a call, [openapi.json](openapi.json) describes it. Names stay within a version of the API (\`v1\`); there may come more of them. An error is words on standard error, with \`--json\` too.

**Status.**

| | |
|---|---|
| 0 | what was asked for happened |
| 1 | it did not: the hub refused or was not there, a run did not succeed, a check found something |
| 2 | the command line was not understood, and nothing was done |
| 130 | Ctrl-C |

**Ctrl-C** leaves runs, sessions and bookings as they are (a run that you follow asks first); a file that is not whole is not kept.

**Times** are by the clock and time zone of this machine (\`TZ\` names another), which is said with them; with \`--json\` and in CSV they are UTC. Those that \`fernlab daemon\` shows, and those in errors that a node or hub gives, are UTC too and end in \`Z\`. What you type is \`2027-02-01\`, \`"2027-02-01 08:00"\`, or with its offset \`2027-02-01T08:00+01:00\`; a length is \`90m\` or \`1h30m\`.

**Terminals.** There are no colours, so \`NO_COLOR\` changes nothing. Where a table is wider than the terminal, each row has lines of its own; what is not a terminal gets plain lines. A locale without UTF-8 (\`LC_ALL=C\`) gets ASCII on a terminal. \`fernlab completion bash\` (\`zsh\`, \`fish\`) makes a shell complete verbs and options.
`
