import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

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
  /** Asks for a line; `hidden` does not echo it. */
  ask(question: string, options?: { hidden?: boolean }): Promise<string>
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const interactive = process.stdout.isTTY === true && process.env.TERM !== 'dumb'
  return {
    env: process.env,
    interactive,
    columns: process.stdout.columns ?? 80,
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    status: (text) => {
      if (interactive) process.stdout.write(`\r\u001b[2K${text}`)
    },
    ask: async (question, { hidden = false } = {}) => {
      const echo = new Writable({ write: (_chunk, _encoding, done) => done() })
      const lines = createInterface({
        input: process.stdin,
        output: hidden ? echo : process.stdout,
        terminal: process.stdin.isTTY === true,
      })
      if (hidden) process.stdout.write(question)
      try {
        return await lines.question(hidden ? '' : question)
      } finally {
        lines.close()
        if (hidden) process.stdout.write('\n')
      }
    },
  }
}
