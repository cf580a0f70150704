import { asLabError, formatIssues, type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import { CommanderError } from 'commander'

/** An error of the person who typed, who was understood; `next` says what to do about it. */
export function mistake(code: string, message: string, next?: string): LabError {
  return new LabError({ code, kind: 'caller', message: withNext(message, next) })
}

const withNext = (message: string, next?: string) => (next === undefined ? message : `${message}\n  ${next}`)

/** What ended a verb whose words were not understood: nothing was done. */
export class Misspelt extends LabError {}

/** A {@link mistake} in how the command was written. */
export function misspelt(code: string, message: string, next?: string): Misspelt {
  return new Misspelt({ code, kind: 'caller', message: withNext(message, next) })
}

/** The exit status of a command that ended with what was thrown. */
export function statusOf(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2
  const { code } = asLabError(thrown)
  // `bad-argument` is what programs of a node say of their arguments.
  if (thrown instanceof Misspelt || code === 'bad-argument') return 2
  return code === 'interrupted-by-person' ? 130 : 1
}

/** What goes to standard error: one clear line, what to do next, and each issue on a line of its own. */
export function problemLines(error: LabError): string[] {
  const all = error.issues.length === 0 ? [] : formatIssues(error.issues).split('\n')
  // Many messages say their issues themselves, one in its own words or several one after another.
  const isSaid = ({ path, message, file }: Issue) =>
    file === undefined && [' ', ': '].some((between) => error.message.includes(`${path}${between}${message}`.trim()))
  // As they stand, with their lines: a fault of YAML shows the place in several.
  const areSaid = error.message.includes(formatIssues(error.issues)) || error.issues.every(isSaid)
  const issues = areSaid ? [] : all.filter((issue) => issue !== error.message)
  return [`fernlab: ${error.message}`, ...issues.map((issue) => `  ${issue}`), ...nextLines(error)]
}

/** What to do about what hinders a call wherever it is made. */
const nextLines = ({ code }: LabError): string[] =>
  code === 'node-unreachable'
    ? ['  See whether the machine of the node is on and has a network; once it is back, the same command will do.']
    : []

/** What else there is to say of an error that is a bug: whose it is, or with `isDebug` where it came from. */
export function bugLines(error: LabError, isDebug: boolean): string[] {
  if (error.kind !== 'bug') return []
  const from = error.cause instanceof Error ? error.cause : error
  if (isDebug) return (from.stack ?? from.message).split('\n')
  // It was found to be wrong by the node, and where that was says nothing of why.
  if (error.code === 'result-invalid')
    return ['  That is a mistake of the service: its action or its contract is to be mended by whoever wrote it.']
  return ['  That should not happen; with FERNLAB_LOG_LEVEL=debug it says where it did.']
}
