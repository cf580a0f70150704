/**
 * One run of a driver's program.
 *
 * INVARIANTS: nothing of it outlives `stop`, what it has started in its process group included; it is given no secret of
 * the node (its environment is made anew); what it writes is bounded before it is kept or logged.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import { inheritedEnv, killGroup } from '../child-group.ts'
import { createLines } from './lines.ts'
import { perSecond } from './per-second.ts'

export interface ChildOptions {
  readonly instrument: string
  readonly command: readonly [string, ...string[]]
  /** What the program is called in messages. Default: its command. */
  readonly called?: string | undefined
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly log: Log
  /** One line that it wrote to its output. */
  readonly onLine: (line: string) => void
  /** It has ended; told once, with why. */
  readonly onEnd: (reason: string) => void
}

export interface Child {
  /** One line to its input. */
  send(line: string): void
  /** Ends it and all that it started at once; `reason` is what `onEnd` tells. */
  kill(reason: string): void
  /** Closes its input, gives it `graceMs` to end, then ends it; resolves when it has. */
  stop(graceMs: number): Promise<void>
}

const LINE_BYTES = 1_048_576
const LOGGED_BYTES = 8192
const LOGGED_PER_SECOND = 20
const LAST_WORDS_MS = 200

/** Starts it without a shell; one that can't be started has ended with that as the reason. */
export function startChild(options: ChildOptions): Child {
  const { instrument, command, folder, clock, log, onLine } = options
  const called = options.called ?? shown(command)
  const [file, ...args] = command
  const env = { PYTHONUNBUFFERED: '1', ...inheritedEnv() }
  // A group of its own: what it starts is ended with it, and Ctrl-C at the node's terminal is the node's to handle.
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(file, args, {
    cwd: folder,
    env: { ...env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let said: string | undefined
  let reason: string | undefined
  const ended = new Promise<void>((resolve) => {
    const end = (why: string) => {
      options.onEnd(reason ?? (said === undefined ? why : `${why}: ${said}`))
      resolve()
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) end(cannotStart(command, folder, error))
    })
    // After its output has been read to the end, so that its last words are known.
    child.once('close', (code, signal) => {
      end(signal === null ? `${called} exited with code ${code}` : `${called} was ended by ${signal}`)
    })
    child.once('exit', () => {
      killGroup(child.pid)
      // What has left its group may hold its output open.
      clock.after(LAST_WORDS_MS, () => {
        child.stdout.destroy()
        child.stderr.destroy()
      })
    })
  })
  const kill = (why: string) => {
    reason ??= why
    killGroup(child.pid)
  }

  const output = createLines(LINE_BYTES)
  child.stdout.on('data', (piece: Buffer) => {
    const lines = output.take(piece)
    if (lines === undefined) return kill(`${called} wrote a line of more than ${LINE_BYTES} bytes`)
    for (const line of lines) if (line !== '') onLine(line)
  })
  const notes = boundedNotes(clock, (line, left) => {
    const leftOut = left === 0 ? {} : { leftOut: left }
    log.info({ instrument, said: line, ...leftOut }, "a driver's program says")
  })
  const errors = createLines(LINE_BYTES)
  child.stderr.on('data', (piece: Buffer) => {
    const lines = errors.take(piece)
    if (lines === undefined) return kill(`${called} wrote a line of more than ${LINE_BYTES} bytes`)
    for (const line of lines) {
      if (line.trim() === '') continue
      said = line.trim().slice(0, 300)
      notes(line.slice(0, LOGGED_BYTES))
    }
  })
  // It may end while it is written to; that it has is told by `close`.
  child.stdin.on('error', (error) => log.debug({ instrument, error: error.message }, 'a program does not take more'))

  return {
    send: (line) => {
      if (child.stdin.writable) child.stdin.write(`${line}\n`)
    },
    kill,
    stop: async (graceMs) => {
      child.stdin.end()
      const cancel = clock.after(graceMs, () => kill(`${called} did not end within ${graceMs} ms`))
      await ended
      cancel()
    },
  }
}

/** The command as it is read in a message. */
const shown = (command: readonly string[]): string => command.join(' ').slice(0, 120)

/** Why a command could not be started, in words. */
export function cannotStart(
  command: readonly string[],
  folder: string,
  { code, message }: NodeJS.ErrnoException,
): string {
  if (code === 'ENOENT') return `${command[0]} is not there (looked for from ${folder} and in PATH)`
  if (code === 'EACCES') return `${command[0]} may not be run: make it executable (chmod +x) or name its interpreter`
  return `${shown(command)} can not be started: ${message}`
}

/** Lets a few lines a second through; the next one that passes says how many did not. */
export function boundedNotes(clock: Clock, note: (line: string, leftOut: number) => void): (line: string) => void {
  const passes = perSecond(clock, LOGGED_PER_SECOND)
  let leftOut = 0
  return (line) => {
    if (!passes()) {
      leftOut++
      return
    }
    note(line, leftOut)
    leftOut = 0
  }
}
