import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** Where the command line reads and writes; injected, so that a test can be the terminal. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether a person watches standard output. */
  readonly interactive: boolean
  /** Columns of the terminal, where there is one. */
  readonly columns: number
  out(line: string): void
  err(line: string): void
  /** Replaces the last line on a terminal; an empty text clears it. */
  status(text: string): void
  /** Whether a person is there to be asked. */
  readonly asks: boolean
  /** Asks for a line, on standard error; `hidden` does not echo it. Rejects at Ctrl-C and at the end of the input. */
  ask(question: string, options?: { hidden?: boolean }): Promise<string>
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const interactive = process.stdout.isTTY === true && process.env.TERM !== 'dumb'
  return {
    env: process.env,
    interactive,
    asks: process.stdin.isTTY === true && process.stderr.isTTY === true,
    columns: process.stdout.columns ?? 80,
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    status: (text) => {
      if (interactive) process.stdout.write(`\r\u001b[2K${text}`)
    },
    ask: async (question, { hidden = false } = {}) => {
      const echo = new Writable({ write: (_chunk, _encoding, done) => done() })
      const lines = createInterface({ input: process.stdin, output: hidden ? echo : process.stderr, terminal: true })
      const given = new AbortController()
      lines.once('SIGINT', () => given.abort())
      lines.once('close', () => given.abort())
      if (hidden) process.stderr.write(question)
      try {
        return await lines.question(hidden ? '' : question, { signal: given.signal })
      } catch (cause) {
        throw given.signal.aborted ? noAnswer(cause) : cause
      } finally {
        if (hidden || given.signal.aborted) process.stderr.write('\n')
        lines.close()
      }
    },
  }
}

const noAnswer = (cause: unknown): LabError =>
  new LabError({ code: 'interrupted-by-person', kind: 'caller', message: 'nothing was answered', cause })
