import { Argument, type Command } from 'commander'
import type { Context } from '../context.ts'

interface Known {
  /** The words that lead here, such as `booking make`; empty for the program itself. */
  readonly path: string
  /** Verbs and choices of the first argument. Where there are none, files may follow. */
  readonly verbs: readonly string[]
  readonly options: readonly string[]
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
  const here = { path, verbs: [...verbs.map((verb) => verb.name()), ...choices], options }
  return [here, ...verbs.flatMap((verb) => knownOf(verb, `${path} ${verb.name()}`.trim()))]
}

/**
 * The words before the cursor that are verbs lead to what may follow; whatever else was typed stands between. Options
 * are offered to a word that begins as one does, so that Tab finds the file of `lab push`.
 */
const scripts: Readonly<Record<Shell, (known: readonly Known[]) => string>> = {
  bash: (known) => `${posixWords(known)}
_fernlab() {
  local word path= next
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    [ -n "$(_fernlab_options "$next")" ] && path=$next
  done
  word=\${COMP_WORDS[COMP_CWORD]}
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$(_fernlab_options "$path")" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "$(_fernlab_verbs "$path")" -- "$word")) ;;
  esac
}
complete -o default -F _fernlab fernlab
`,
  zsh: (known) => `#compdef fernlab
${posixWords(known)}
_fernlab() {
  local word at= next verbs
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${at:+$at }$word"
    [[ -n "$(_fernlab_options "$next")" ]] && at=$next
  done
  verbs="$(_fernlab_verbs "$at")"
  if [[ $PREFIX == -* ]]; then compadd -- \${=$(_fernlab_options "$at")}
  elif [[ -n $verbs ]]; then compadd -- \${=verbs}
  else _files
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _fernlab "$@"; else compdef _fernlab fernlab; fi
`,
  fish: (known) => `${fishWords('verbs', known)}
${fishWords('options', known)}
function __fernlab_at
  set -l at
  for word in (commandline -opc)[2..-1]
    test -n "$(__fernlab_options $at $word)"; and set -a at $word
  end
  echo "$at"
end
complete -c fernlab -n 'test -n "$(__fernlab_verbs (__fernlab_at))"' -f -a '(__fernlab_verbs (__fernlab_at))'
complete -c fernlab -n 'string match -q -- "-*" (commandline -ct)' -f -a '(__fernlab_options (__fernlab_at))'
`,
}

const posixWords = (known: readonly Known[]): string =>
  (['verbs', 'options'] as const)
    .map((kind) => {
      const cases = known.map((at) => `    '${at.path}') echo '${at[kind].join(' ')}' ;;`)
      return `_fernlab_${kind}() {\n  case "$1" in\n${cases.join('\n')}\n  esac\n}`
    })
    .join('\n')

function fishWords(kind: 'verbs' | 'options', known: readonly Known[]): string {
  const cases = known
    .filter((at) => at[kind].length > 0)
    .map((at) => `    case '${at.path}'\n      string split ' ' -- '${at[kind].join(' ')}'`)
  return `function __fernlab_${kind}\n  switch "$argv"\n${cases.join('\n')}\n  end\nend`
}
