import { Argument, type Command } from 'commander'
import type { Context } from '../context.ts'

interface Known {
  /** The words that lead here, such as `booking make`; empty for the program itself. */
  readonly path: string
  /** Verbs, choices of the first argument, and options, in this order. */
  readonly words: readonly string[]
}

const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

/** `completion`: what a shell asks for to complete verbs and options at the Tab key; it asks no hub. */
export function addCompletion(program: Command, { terminal }: Context): void {
  program
    .command('completion')
    .description('print what makes a shell complete verbs and options')
    .addArgument(new Argument('<shell>', 'which').choices([...shells]))
    .addHelpText(
      'after',
      `
  fernlab completion zsh > ~/.zsh/_fernlab                       (a folder of fpath, before compinit)
  fernlab completion fish > ~/.config/fish/completions/fernlab.fish`,
    )
    .action((shell: Shell) => terminal.print(scripts[shell](knownOf(program))))
}

function knownOf(command: Command, path = ''): Known[] {
  const verbs = command
    .createHelp()
    .visibleCommands(command)
    .filter((verb) => verb.name() !== 'help')
  const options = command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long }) => long ?? [])
  const choices = command.registeredArguments[0]?.argChoices ?? []
  const here = { path, words: [...verbs.map((verb) => verb.name()), ...choices, ...options] }
  return [here, ...verbs.flatMap((verb) => knownOf(verb, `${path} ${verb.name()}`.trim()))]
}

/** The words before the cursor that are verbs lead to what may follow; whatever else was typed stands between. */
const scripts: Readonly<Record<Shell, (known: readonly Known[]) => string>> = {
  bash: (known) => `_fernlab_words() {
  case "$1" in
${cases(known)}
  esac
}
_fernlab() {
  local word path= next
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    [ -n "$(_fernlab_words "$next")" ] && path=$next
  done
  COMPREPLY=($(compgen -W "$(_fernlab_words "$path")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _fernlab fernlab
`,
  zsh: (known) => `#compdef fernlab
_fernlab_words() {
  case "$1" in
${cases(known)}
  esac
}
_fernlab() {
  local word at= next
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${at:+$at }$word"
    [[ -n "$(_fernlab_words "$next")" ]] && at=$next
  done
  compadd -- \${=$(_fernlab_words "$at")} || _files
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _fernlab "$@"; else compdef _fernlab fernlab; fi
`,
  fish: (known) => `function __fernlab_words
  switch "$argv"
${known.map(({ path, words }) => `    case '${path}'\n      string split ' ' -- '${words.join(' ')}'`).join('\n')}
  end
end
function __fernlab_complete
  set -l at
  for word in (commandline -opc)[2..-1]
    test -n "$(__fernlab_words $at $word)"; and set -a at $word
  end
  __fernlab_words $at
end
complete -c fernlab -a '(__fernlab_complete)'
`,
}

const cases = (known: readonly Known[]) =>
  known.map(({ path, words }) => `    '${path}') echo '${words.join(' ')}' ;;`).join('\n')
