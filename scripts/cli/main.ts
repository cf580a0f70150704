import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { CommanderError } from 'commander'
import { problemLines } from './problem.ts'
import { createProgram } from './program.ts'
import { processTerminal } from './terminal.ts'
import { ownVersion } from './version.ts'

const interruptedStatus = 130

async function main(args: readonly string[]): Promise<number> {
  const terminal = processTerminal()
  const stop = new AbortController()
  const handlers: ((signal: NodeJS.Signals) => void)[] = []
  const interrupt = (signal: NodeJS.Signals) => {
    const handler = handlers.at(-1)
    if (handler !== undefined) return handler(signal)
    stop.abort()
    process.exit(interruptedStatus)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, interrupt)
  const onInterrupt = (handler: (signal: NodeJS.Signals) => void) => {
    handlers.push(handler)
    return () => handlers.splice(handlers.indexOf(handler), 1)
  }
  // Whoever reads the output may have read enough, as `head` does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  const program = createProgram({ terminal, signal: stop.signal, onInterrupt }, await ownVersion())
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    const problem = asLabError(error)
    for (const line of problemLines(problem)) terminal.err(line)
    if (problem.kind === 'bug' && terminal.env.FERNLAB_LOG_LEVEL === 'debug') terminal.err(String(problem.cause))
    return problem.code === 'interrupted-by-person' ? interruptedStatus : 1
  }
}

process.exitCode = await main(process.argv.slice(2))
