import { asLabError, type LabError } from '@fernlab/shared/primitives/lab-error'
import { CommanderError } from 'commander'
import { bugLines, problemLines, statusOf } from './problem.ts'
import { createProgram } from './program.ts'
import { processTerminal, type Terminal } from './terminal.ts'
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
  process.on('uncaughtException', (error) => {
    tell(terminal, asLabError(error))
    process.exit(1)
  })
  const program = createProgram({ terminal, signal: stop.signal, onInterrupt }, await ownVersion())
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    // Commander has told its own.
    if (!(error instanceof CommanderError)) tell(terminal, asLabError(error))
    return statusOf(error)
  }
}

function tell(terminal: Terminal, problem: LabError): void {
  for (const line of problemLines(problem)) terminal.err(line)
  for (const line of bugLines(problem, terminal.env.FERNLAB_LOG_LEVEL === 'debug')) terminal.err(line)
}

process.exitCode = await main(process.argv.slice(2))
