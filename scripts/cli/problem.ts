import { formatIssues, type Issue, LabError } from '@fernlab/shared/primitives/lab-error'

/** An error of the person who typed; `next` says what to do about it. */
export function mistake(code: string, message: string, next?: string): LabError {
  return new LabError({ code, kind: 'caller', message: next === undefined ? message : `${message}\n  ${next}` })
}

/** What goes to standard error: one clear line, what to do next, and each issue on a line of its own. */
export function problemLines(error: LabError): string[] {
  const all = error.issues.length === 0 ? [] : formatIssues(error.issues).split('\n')
  // Many messages say their issues themselves, one in its own words or several one after another.
  const isSaid = ({ path, message, file }: Issue) =>
    file === undefined && error.message.includes(`${path} ${message}`.trim())
  const issues = error.issues.every(isSaid) ? [] : all.filter((issue) => issue !== error.message)
  return [`fernlab: ${error.message}`, ...issues.map((issue) => `  ${issue}`)]
}
