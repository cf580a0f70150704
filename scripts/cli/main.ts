import { asLabError, type LabError } from '@fernlab/shared/primitives/lab-error'
import { CommanderError } from 'commander'
import { problemLines } from './problem.ts'
import { createProgram } from './program.ts'
import { processTerminal, type Terminal } from './terminal.ts'
import { ownVersion } from './version.ts'

const refusedStatus = 1
/** The command line was not understood; nothing was asked of any hub. */
const misspeltStatus = 2
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
    process.exit(refusedStatus)
  })
  const program = createProgram({ terminal, signal: stop.signal, onInterrupt }, await ownVersion())
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : misspeltStatus
    const problem = asLabError(error)
    tell(terminal, problem)
    return problem.code === 'interrupted-by-person' ? interruptedStatus : refusedStatus
  }
}

function tell(terminal: Terminal, problem: LabError): void {
  for (const line of problemLines(problem)) terminal.err(line)
  if (problem.kind !== 'bug') return
  const isTold = terminal.env.FERNLAB_LOG_LEVEL === 'debug'
  if (isTold) terminal.err(problem.cause instanceof Error ? String(problem.cause.stack) : String(problem.cause))
  else terminal.err('  That should not happen; with FERNLAB_LOG_LEVEL=debug it says where it did.')
}

process.exitCode = await main(process.argv.slice(2))
