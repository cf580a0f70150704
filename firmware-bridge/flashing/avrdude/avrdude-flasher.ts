/**
 * Flashing by avrdude, for boards whose boot loaders it alone knows. It opens a serial port or a TCP connection itself;
 * for any other transport it gets a forwarded port.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type ForwardedPort, forwardPort } from '../../forwarding/forward-port.ts'
import type { AvrBoard } from '../board-kinds.ts'
import { type Flasher, type FlashJob, type FlashResult, flashFailed, oneTry, placeOf } from '../flasher.ts'
import { writeIntelHex } from '../intel-hex.ts'

const LONGEST_MS = 120_000
const KEPT_LINES = 6
/** Where avrdude's bars are of the firmware, no longer of the signature. */
const BEGUN = { comparing: /verifying/i, writing: /Writing \|/ } as const
/** Its verdict, not a line that failed while it read. */
const DIFFERS = /verification (error|mismatch)/i

/** Writes and verifies by the program `avrdude`, which has to be installed. */
export const avrdudeFlasher: Flasher<AvrBoard> = {
  flash: async (job) => {
    let writing = false
    const watched: FlashJob<AvrBoard> = {
      ...job,
      onProgress: (progress) => {
        writing ||= progress.step === 'writing'
        job.onProgress(progress)
      },
    }
    const late = () =>
      flashFailed(`avrdude did not end within ${LONGEST_MS / 1000} s at ${placeOf(job.transport)}`, writing)
    return await oneTry(job, LONGEST_MS, late, (signal) => perform(watched, signal))
  },
}

async function perform(job: FlashJob<AvrBoard>, signal: AbortSignal): Promise<FlashResult> {
  const { transport, board, image, openTransport, log } = job
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-flash-'))
  let forwarded: ForwardedPort | undefined
  try {
    const file = join(folder, 'firmware.hex')
    await writeFile(file, writeIntelHex(image))
    if (transport.kind === 'emulated')
      forwarded = await forwardPort({
        open: (within) => openTransport(transport, within),
        port: 0,
        clock: job.clock,
        log,
      })
    const port =
      forwarded !== undefined
        ? `net:${forwarded.host}:${forwarded.port}`
        : transport.kind === 'serial'
          ? transport.path
          : `net:${placeOf(transport)}`
    const { part, programmer } = board.avrdude
    const place = ['-p', part, '-c', programmer, '-P', port, '-b', String(board.baudRate)]
    if (job.onlyIfDifferent) {
      const compared = await run([...place, '-U', `flash:v:${file}:i`], 'comparing', job, signal)
      if (compared.code === 0) return { written: false }
      if (!DIFFERS.test(compared.said)) throw failed(compared, job)
    }
    const written = await run([...place, '-D', '-U', `flash:w:${file}:i`], 'writing', job, signal)
    if (written.code !== 0) throw failed(written, job)
    return { written: true }
  } finally {
    await forwarded?.close()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Ended {
  readonly code: number | null
  readonly said: string
}

/** Resolves when the program has ended; ends it at the signal, and waits until it is gone. */
async function run(
  args: readonly string[],
  what: 'comparing' | 'writing',
  job: FlashJob,
  signal: AbortSignal,
): Promise<Ended> {
  const { image, log, onProgress } = job
  onProgress({ step: 'connecting', done: 0, total: image.bytes })
  // What was prepared took time, and an abort in it is told to no child.
  signal.throwIfAborted()
  const child = spawn('avrdude', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
    const step = what === 'comparing' ? what : /Writing \|(?!.*Reading \|)/s.test(said) ? what : 'verifying'
    const bar = /(?:Writing|Reading) \| (#*)[^|]*$/.exec(said)
    if (bar !== null && BEGUN[what].test(said))
      onProgress({ step, done: Math.round(((bar[1] ?? '').length / 50) * image.bytes), total: image.bytes })
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => reject(cause.code === 'ENOENT' ? missing(cause) : cause))
    child.once('close', resolve)
  }).finally(() => signal.removeEventListener('abort', kill))
  signal.throwIfAborted()
  log.debug({ said }, 'avrdude ended')
  return { code, said }
}

function failed({ code, said }: Ended, job: FlashJob): LabError {
  const lines = said.split('\n').filter((line) => line.trim() !== '')
  return flashFailed(
    `avrdude ended with ${code} at ${placeOf(job.transport)}: ${lines.slice(-KEPT_LINES).join(' / ')}`,
    BEGUN.writing.test(said),
  )
}

function missing(cause: Error): LabError {
  return new LabError({
    code: 'avrdude-missing',
    kind: 'configuration',
    message:
      'this board is flashed by avrdude, which is not installed here; on Debian and Raspberry Pi OS: sudo apt install avrdude',
    cause,
  })
}
