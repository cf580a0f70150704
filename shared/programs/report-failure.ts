import { asLabError } from '../primitives/lab-error.ts'

/** Why a program ends, to standard error: one line for what a person can mend, the stack as well for a bug. */
export function reportFailure(thrown: unknown): void {
  const error = asLabError(thrown)
  process.stderr.write(`${error.message}\n`)
  if (error.kind === 'bug')
    process.stderr.write(`${String((error.cause as Error | undefined)?.stack ?? error.stack)}\n`)
}
