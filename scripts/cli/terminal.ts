import type { Socket } from 'node:net'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { inAscii, isAscii } from './ascii.ts'

/** Where the command line reads and writes; injected, so that a test can be the terminal. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Whether a person watches standard output. */
  readonly interactive: boolean
  /** Columns of the terminal, where there is one. */
  readonly columns: number
  /** Whether it shows no more than ASCII. */
  readonly ascii: boolean
  out(line: string): void
  /** Text as it is, without a line break of its own. */
  print(text: string): void
  err(line: string): void
  /** Replaces the last line on a terminal; an empty text clears it. */
  status(text: string): void
  /** The same on standard error, so that a result which goes into a file has it too; nothing where that is no terminal. */
  progress(text: string): void
  /** Whether a person is there to be asked. */
  readonly asks: boolean
  /** Whether standard input is no terminal: a line of it was not typed for all around to see. */
  readonly piped: boolean
  /** Whether the result is for a program (`--json`): then nobody is asked. */
  readonly json: boolean
  /** Whether only the result is wanted (`--quiet`). */
  readonly quiet: boolean
  /** Asks for a line, on standard error; `hidden` does not echo it. Rejects at Ctrl-C and at the end of the input. */
  ask(question: string, options?: { hidden?: boolean }): Promise<string>
  /** The next line of standard input; undefined at its end. */
  nextLine(): Promise<string | undefined>
  /** What is typed or piped in, line by line, until the input ends or the signal aborts. */
  lines(signal: AbortSignal): AsyncIterable<string>
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const nextLine = lineReader()
  const interactive = process.stdout.isTTY === true && process.env.TERM !== 'dumb'
  const ascii = isAscii(process.env)
  const to = (stream: NodeJS.WriteStream) => (text: string) =>
    stream.write(ascii && stream.isTTY === true ? inAscii(text) : text)
  const [write, tell] = [to(process.stdout), to(process.stderr)]
  return {
    env: process.env,
    interactive,
    asks: process.stdin.isTTY === true && process.stderr.isTTY === true,
    piped: process.stdin.isTTY !== true,
    json: false,
    quiet: false,
    columns: process.stdout.columns ?? 80,
    ascii,
    out: (line) => write(`${line}\n`),
    print: (text) => write(text),
    err: (line) => tell(`${line}\n`),
    status: (text) => {
      if (interactive) write(`\r\u001b[2K${text}`)
    },
    progress: (text) => {
      if (process.stderr.isTTY === true && process.env.TERM !== 'dumb') tell(`\r\u001b[2K${text}`)
    },
    nextLine,
    // Not as a terminal: Ctrl-C stays the signal that it is everywhere else.
    lines: (signal) => createInterface({ input: process.stdin, terminal: false, signal }),
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

/** What the options of a verb want of its terminal. */
export interface TerminalMode {
  json: boolean
  quiet: boolean
}

/** The terminal as a verb sees it, which is told by its options alone whether somebody wants to be asked and told. */
export const terminalIn = (terminal: Terminal, mode: Readonly<TerminalMode>): Terminal => ({
  ...terminal,
  get asks() {
    return terminal.asks && !mode.json
  },
  get json() {
    return mode.json
  },
  get quiet() {
    return mode.quiet
  },
  err: (line) => {
    if (!mode.quiet) terminal.err(line)
  },
  status: (text) => {
    if (!mode.quiet) terminal.status(text)
  },
  progress: (text) => {
    if (!mode.quiet) terminal.progress(text)
  },
})

/** Reads standard input line by line, from the first call on; between two calls it does not keep the process. */
function lineReader(): () => Promise<string | undefined> {
  const lines: string[] = []
  let state: 'unread' | 'open' | 'ended' = 'unread'
  let wake = () => {}
  const open = () => {
    state = 'open'
    createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
      .on('line', (line) => {
        lines.push(line)
        wake()
      })
      .once('close', () => {
        state = 'ended'
        wake()
      })
  }
  return async () => {
    const stdin: Partial<Pick<Socket, 'ref' | 'unref'>> = process.stdin
    if (state === 'unread') open()
    stdin.ref?.()
    if (lines.length === 0 && state !== 'ended') {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    stdin.unref?.()
    return lines.shift()
  }
}

const noAnswer = (cause: unknown): LabError =>
  new LabError({ code: 'interrupted-by-person', kind: 'caller', message: 'nothing was answered', cause })
