import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { problemLines, statusOf } from 'fernlab/cli/problem'
import { createProgram } from 'fernlab/cli/program'
import type { Terminal } from 'fernlab/cli/terminal'
import type { Ended } from './command.ts'

/** What a person types at a question: the words, or how to find them in what was shown so far. */
export type Answer = string | ((shown: string) => string)

export interface CommandLineOptions {
  readonly env: Terminal['env']
  /** A person at a terminal, and what they type; without it nobody is there. */
  readonly typed?: readonly Answer[]
  /** The lines of standard input, where nobody is there to be asked. */
  readonly lines?: readonly Answer[]
  /** Whether standard input is a terminal all the same, as where standard error is redirected. */
  readonly keyboard?: boolean
  /** Given what Ctrl-C does, when a verb says so. */
  readonly onInterrupt?: (press: () => void) => void
}

/** A verb that ran in this process; questions stand in `err`, hidden ones marked. */
export async function commandLine(args: readonly string[], options: CommandLineOptions): Promise<Ended> {
  const out: string[] = []
  const err: string[] = []
  const left = [...(options.typed ?? options.lines ?? [])]
  const next = () => {
    const answer = left.shift()
    return typeof answer === 'function' ? answer([...out, ...err].join('\n')) : answer
  }
  const terminal: Terminal = {
    env: options.env,
    interactive: false,
    columns: 80,
    out: (line) => void out.push(`${line}\n`),
    print: (text) => void out.push(text),
    err: (line) => void err.push(`${line}\n`),
    status: () => {},
    progress: () => {},
    asks: options.typed !== undefined,
    piped: options.typed === undefined && options.keyboard !== true,
    json: false,
    quiet: false,
    ascii: false,
    ask: async (question, { hidden = false } = {}) => {
      err.push(`${question}${hidden ? '(hidden)' : ''}\n`)
      const answer = next()
      if (answer === undefined) throw new Error(`nobody answers "${question}"`)
      return answer
    },
    nextLine: async () => next(),
    lines: async function* () {
      for (let line = next(); line !== undefined; line = next()) yield line
    },
  }
  const onInterrupt = (handler: (signal: NodeJS.Signals) => void) => {
    options.onInterrupt?.(() => handler('SIGINT'))
    return () => {}
  }
  const context = { terminal, signal: new AbortController().signal, onInterrupt }
  let code = 0
  try {
    await createProgram(context, '0').parseAsync(args, { from: 'user' })
  } catch (error) {
    code = statusOf(error)
    err.push(...problemLines(asLabError(error)).map((line) => `${line}\n`))
  }
  return { code, out: out.join(''), err: err.join('') }
}
