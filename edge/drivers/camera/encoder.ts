/**
 * One run of ffmpeg.
 *
 * INVARIANTS: nothing of it outlives `stop`, what it was started with included; what it says is bounded; a picture is told
 * once it is whole, and never after the end was.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { inheritedEnv, killGroup } from '../child-group.ts'
import type { CameraCommands } from './ffmpeg.ts'
import { GREY } from './ffmpeg.ts'
import { createParts } from './parts.ts'

export interface EncoderOptions {
  readonly commands: CameraCommands
  readonly clock: Clock
  /** A JPEG file, and the same small and grey, one byte a pixel. */
  readonly onPicture: (jpeg: Buffer, grey: Buffer) => void
  /** It has ended; told once, with why. */
  readonly onEnd: (reason: LabError) => void
}

export interface Encoder {
  /** Ends it at once, for `reason`; resolves when it has. */
  stop(reason: LabError): Promise<void>
}

const SAID_BYTES = 2000
const LAST_WORDS_MS = 200
/** ffmpeg makes both of a picture before it takes another. */
const MOST_UNPAIRED = 60

/** Starts it; one that can't be started ends with that as the reason. */
export function startEncoder({ commands, clock, onPicture, onEnd }: EncoderOptions): Encoder {
  const options = { env: inheritedEnv(), detached: true }
  const before = commands.before === undefined ? undefined : startBefore(commands.before)
  const ffmpeg = spawn('ffmpeg', commands.ffmpeg, {
    ...options,
    stdio: [before?.stdout ?? 'ignore', 'pipe', 'pipe', 'pipe'],
  })
  // It reads from the other program itself: what this process would read would be lost to it.
  before?.stdout?.destroy()
  let said = ''
  let reason: LabError | undefined
  let over = false
  let done = () => {}
  const ended = new Promise<void>((resolve) => {
    done = resolve
  })
  const end = (why: LabError) => {
    if (over) return
    over = true
    onEnd(reason ?? why)
    done()
  }
  const kill = (why: LabError) => {
    reason ??= why
    killGroup(before?.pid)
    killGroup(ffmpeg.pid)
  }
  const note = (piece: Buffer) => {
    said = `${said}${piece.toString('utf8')}`.slice(-SAID_BYTES)
  }
  for (const child of [before, ffmpeg]) child?.stderr?.on('data', note)

  const jpegs: Buffer[] = []
  const greys: Buffer[] = []
  /** Each comes on its own pipe, in the same order. */
  const pair = () => {
    for (;;) {
      const [jpeg] = jpegs
      const [grey] = greys
      if (jpeg === undefined || grey === undefined || over || reason !== undefined) return
      jpegs.shift()
      greys.shift()
      onPicture(jpeg, grey)
    }
  }
  const parts = createParts()
  const take = (into: Buffer[], found: () => readonly Buffer[]) => {
    if (over || reason !== undefined) return
    try {
      into.push(...found())
      if (into.length > MOST_UNPAIRED) throw unpaired()
      pair()
    } catch (thrown) {
      kill(asLabError(thrown))
    }
  }
  ffmpeg.stdout?.on('data', (piece: Buffer) => take(jpegs, () => parts.take(piece)))
  let rest: Buffer = Buffer.alloc(0)
  const small = ffmpeg.stdio[3] as Readable | null
  small?.on('data', (piece: Buffer) => {
    const bytes = Buffer.concat([rest, piece])
    const whole = Math.floor(bytes.length / GREY.bytes)
    rest = bytes.subarray(whole * GREY.bytes)
    take(greys, () => Array.from({ length: whole }, (_, i) => bytes.subarray(i * GREY.bytes, (i + 1) * GREY.bytes)))
  })

  before?.once('error', (error: NodeJS.ErrnoException) => kill(cannotStart(before, error)))
  ffmpeg.once('error', (error: NodeJS.ErrnoException) => {
    killGroup(before?.pid)
    if (ffmpeg.pid === undefined) end(cannotStart(ffmpeg, error))
  })
  ffmpeg.once('close', () => end(stopped(said)))
  ffmpeg.once('exit', () => {
    killGroup(before?.pid)
    clock.after(LAST_WORDS_MS, () => {
      for (const stream of ffmpeg.stdio) stream?.destroy()
    })
  })
  return {
    stop: async (why) => {
      kill(why)
      await ended
    },
  }
}

function startBefore([file, ...args]: readonly [string, ...string[]]): ChildProcess {
  return spawn(file, args, { env: inheritedEnv(), detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
}

function cannotStart({ spawnfile }: ChildProcess, cause: NodeJS.ErrnoException): LabError {
  const how =
    spawnfile === 'ffmpeg'
      ? 'install it with: sudo apt install ffmpeg'
      : 'install it with: sudo apt install rpicam-apps; it is for the camera of a Raspberry Pi'
  return new LabError({
    code: 'camera-program-missing',
    kind: 'configuration',
    message:
      cause.code === 'ENOENT' ? `${spawnfile} is not installed: ${how}` : `${spawnfile} can not run: ${cause.message}`,
    cause,
  })
}

function unpaired(): LabError {
  const message = 'the pictures and what is measured of them do not come together'
  return new LabError({ code: 'camera-garbage', kind: 'instrument', retry: 'later', message })
}

function stopped(said: string): LabError {
  const last = said.trim().split('\n').at(-1)?.trim()
  return new LabError({
    code: 'camera-stopped',
    kind: 'link',
    retry: 'later',
    message: `the camera has stopped${last === undefined || last === '' ? '' : `: ${last}`}`,
  })
}
