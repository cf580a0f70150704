import { mistake } from './problem.ts'

/** A command that somebody typed in a session: its verb, and the words behind it. */
export interface TypedCommand {
  readonly verb: string
  readonly words: readonly string[]
}

/** The command of a line. Words in double quotes are one; what is said stays as it was typed. */
export function commandIn(line: string): TypedCommand {
  const [, said] = /^say\s+(.+)$/.exec(line) ?? []
  if (said !== undefined) return { verb: 'say', words: [said] }
  if ((line.match(/"/g)?.length ?? 0) % 2 === 1) {
    const next = 'Close it, or leave it out.'
    throw mistake('quote-open', `a double quote is not closed in ${line}`, next)
  }
  const [verb = '', ...words] = [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''))
  return { verb, words }
}
