import { mistake } from './problem.ts'
import type { Terminal } from './terminal.ts'

/** What is asked for, and by which verb: `login asks for your password`. */
export interface Question {
  readonly verb: string
  /** Such as `your password`. */
  readonly what: string
  /** As it stands on the terminal. */
  readonly shown: string
  readonly hidden?: boolean
  /** What else can be done where nobody is there to answer. */
  readonly instead?: string
}

/** What the person types; where no terminal is, the next line of standard input. Secrets are on no command line. */
export async function answerTo(
  terminal: Terminal,
  { verb, what, shown, hidden = false, instead }: Question,
): Promise<string> {
  if (terminal.asks) return await terminal.ask(shown, { hidden })
  if (!terminal.piped && terminal.json) {
    const message = `${verb} asks for ${what}, and with --json nobody is asked`
    throw mistake('no-terminal', message, ['Give it as a line on standard input.', instead].join(' ').trim())
  }
  if (!terminal.piped) {
    const message = `${verb} asks for ${what} on standard error, which is not the terminal`
    throw mistake('no-terminal', message, 'Leave standard error on the terminal, or give a line on standard input.')
  }
  const line = await terminal.nextLine()
  if (line !== undefined && line !== '') return line
  const message = `${verb} asks for ${what}, which needs a terminal, or a line on standard input`
  throw mistake('no-terminal', message, instead)
}

/** The person's present password. */
export const passwordFor = (terminal: Terminal, verb: string, instead?: string): Promise<string> =>
  answerTo(terminal, {
    verb,
    what: 'your password',
    shown: 'Password: ',
    hidden: true,
    ...(instead === undefined ? {} : { instead }),
  })

/** A password that is to be; on a terminal it is typed twice. */
export async function newPasswordFor(terminal: Terminal, verb: string): Promise<string> {
  const ask = (shown: string) => answerTo(terminal, { verb, what: 'a new password', shown, hidden: true })
  const password = await ask('New password, ten characters or more: ')
  if (password.length < 10) throw mistake('password', 'a password has ten characters or more')
  if (terminal.asks && (await ask('The same again: ')) !== password) {
    throw mistake('password', 'the two passwords differ; nothing was changed', 'Do it again.')
  }
  return password
}
