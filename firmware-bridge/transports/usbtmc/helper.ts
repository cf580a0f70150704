/**
 * The process that speaks to one /dev/usbtmcN: `usbtmc.py`, which says what its frames mean.
 *
 * INVARIANTS: it ends with this process and with `stop`; nothing that it waits for, in the kernel or at the instrument,
 * holds up this process.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { createFrames } from './frames.ts'

export interface HelperOptions {
  readonly path: string
  readonly clock: Clock
  readonly onFrame: (kind: string, payload: Buffer) => void
  /** It has ended; told once, with what it wrote last to its error output. */
  readonly onEnd: (said: string) => void
}

export interface Helper {
  /** Tells or asks the instrument something. */
  send(kind: 'T' | 'A', timeoutMs: number, message: Uint8Array): void
  /** Lets it end by itself for a moment, then ends it; resolves when it has. */
  stop(): Promise<void>
}

const STOP_MS = 500

/** Where programs were told to end and have not: while the kernel waits for an instrument no signal ends them. */
const ending = new Set<{ readonly path: string }>()

/** Whether one that was stopped still has the device, as the kernel waits for the instrument. */
export const isEnding = (path: string): boolean => [...ending].some((each) => each.path === path)
const SAID_BYTES = 1000

/** Beside this module in the sources, beside the bundle in a folder of its own, three folders up from it once compiled. */
const program = ['./usbtmc.py', './usbtmc/usbtmc.py', '../../../transports/usbtmc/usbtmc.py']
  .map((place) => fileURLToPath(new URL(place, import.meta.url)))
  .find((path) => existsSync(path))

/** Starts it; one that can not be started throws `usbtmc-program-missing`. */
export async function startHelper({ path, clock, onFrame, onEnd }: HelperOptions): Promise<Helper> {
  if (program === undefined)
    throw new LabError({ code: 'usbtmc-program-missing', kind: 'bug', message: 'usbtmc.py is not installed' })
  // Of its environment it needs PATH; isolated from what people have put beside Python.
  const child = spawn('python3', ['-I', '-S', '-u', program, path], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, LANG: 'C.UTF-8' },
    detached: true,
  })
  let said = ''
  child.stderr.on('data', (piece: Buffer) => {
    said = `${said}${piece.toString('utf8')}`.slice(-SAID_BYTES)
  })
  child.stdout.on('data', createFrames(onFrame))
  // It may end while it is written to; that it has is told by `close`.
  child.stdin.on('error', (error) => {
    said = `${said}${error.message}`.slice(-SAID_BYTES)
  })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      onEnd(said.trim())
      resolve()
    })
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) => reject(notStarted(cause)))
  })
  return {
    send: (kind, timeoutMs, message) => {
      const head = Buffer.alloc(9)
      head.write(kind, 0, 'latin1')
      head.writeUInt32BE(4 + message.length, 1)
      head.writeUInt32BE(Math.ceil(timeoutMs), 5)
      child.stdin.write(Buffer.concat([head, message]))
    },
    stop: async () => {
      child.stdin.end()
      const cancel = clock.after(STOP_MS, () => child.kill('SIGKILL'))
      const mine = { path }
      ending.add(mine)
      await ended
      ending.delete(mine)
      cancel()
    },
  }
}

function notStarted(cause: NodeJS.ErrnoException): LabError {
  const missing = 'python3 is not installed, by which USB instruments are spoken to: sudo apt install python3-minimal'
  return new LabError({
    code: 'usbtmc-program-missing',
    kind: 'configuration',
    message: cause.code === 'ENOENT' ? missing : `python3 can not run: ${cause.message}`,
    cause,
  })
}
