/** Flashing of Raspberry Pi's Pico and its kin: by picotool where that is installed, or by a copy to the drive that it shows. */
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { TransportConfig } from '../../transports/transport.ts'
import type { PicoBoard } from '../board-kinds.ts'
import { type Flasher, type FlashJob, type FlashResult, flashFailed, oneTry, placeOf } from '../flasher.ts'
import { touch } from '../touch.ts'
import { appearingDrive, boardAt, copyToDrive } from './drive.ts'
import { picotool, type Said, withFile } from './picotool.ts'

const LONGEST_MS = 3 * 60_000
/** From the touch until picotool sees the boot loader. */
const APPEARS_MS = 15_000
const POLL_MS = 500

type Job = FlashJob<PicoBoard> & { readonly transport: Extract<TransportConfig, { kind: 'serial' }> }

/**
 * The port is the board's serial port, or the folder in which its drive is mounted. Comparing needs picotool; what was
 * copied to the drive is taken for verified when the boot loader has left, which it does with the last block.
 */
export const picoFlasher: Flasher<PicoBoard> = {
  flash: async (job) => {
    let writing = false
    const late = () =>
      flashFailed(`${placeOf(job.transport)} was not flashed within ${LONGEST_MS / 60_000} min`, writing)
    const watched: FlashJob<PicoBoard> = {
      ...job,
      onProgress: (progress) => {
        writing ||= progress.step === 'writing'
        job.onProgress(progress)
      },
    }
    return await oneTry(job, LONGEST_MS, late, (within) => perform(watched, within))
  },
}

async function perform(job: FlashJob<PicoBoard>, signal: AbortSignal): Promise<FlashResult> {
  const { transport, image } = job
  if (transport.kind !== 'serial') throw notAtUsb(job.board.title)
  const { file } = image
  if (file === undefined)
    throw new LabError({ code: 'firmware-file-wrong', kind: 'configuration', message: 'this board takes UF2 files' })
  const own: Job = { ...job, transport }
  job.onProgress({ step: 'connecting', done: 0, total: image.bytes })
  const isFolder = await stat(transport.path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isFolder) return await byDrive(transport.path, file, own, signal)
  await enterBootLoader(own, signal)
  if ((await picotool(['version'], signal)) !== undefined) return await byPicotool(file, own, signal)
  const drive = await appearingDrive(job.board.driveId, job.clock, signal)
  if (drive === undefined)
    throw silent(
      own,
      'where nothing mounts drives, mount it and name its folder as the port, or: sudo apt install picotool',
    )
  return await byDrive(drive, file, own, signal)
}

/**
 * A board that waits in its boot loader already has no serial port. A port that is there and can not be opened is another
 * matter: its board runs on, and what waits in a boot loader is another one.
 */
async function enterBootLoader({ transport, openTransport, log }: Job, signal: AbortSignal): Promise<void> {
  try {
    await touch(transport, openTransport, signal)
  } catch (thrown) {
    if (!(thrown instanceof LabError) || thrown.code !== 'transport-unreachable') throw thrown
    if (existsSync(transport.path)) throw thrown
    log.debug({ path: transport.path, reason: thrown.message }, 'a board may be in its boot loader already')
  }
}

async function byDrive(folder: string, file: Uint8Array, job: Job, signal: AbortSignal): Promise<FlashResult> {
  const { board, clock, log, image, onlyIfDifferent, onProgress } = job
  const found = await boardAt(folder)
  if (found === undefined) throw noDrive(folder, board)
  if (found !== board.driveId) throw differs(folder, found, board)
  if (onlyIfDifferent) throw incomparable(folder)
  log.info({ place: folder, board: board.name, bytes: image.bytes }, 'writing firmware')
  const total = image.bytes
  onProgress({ step: 'writing', done: 0, total })
  const onBytes = (done: number) =>
    onProgress({ step: 'writing', done: Math.round((total * done) / file.length), total })
  const end = await copyToDrive(folder, file, { clock, signal, onBytes })
  if (end === 'lost') throw flashFailed(`the drive at ${folder} was gone before all was written`, true)
  if (end === 'stays') throw flashFailed(`the boot loader at ${folder} has the file and does not start it`, true)
  return { written: true }
}

async function byPicotool(file: Uint8Array, job: Job, signal: AbortSignal): Promise<FlashResult> {
  const { image, log, board, onlyIfDifferent, onProgress } = job
  await seenByPicotool(job, signal)
  return await withFile(file, async (path) => {
    const tell = (step: 'comparing' | 'writing') => (text: string) => {
      const percent = Number(/(\d+)%[^%]*$/.exec(text)?.[1] ?? 0)
      const now = step === 'writing' && /Verifying/.test(text) ? 'verifying' : step
      onProgress({ step: now, done: Math.round((percent / 100) * image.bytes), total: image.bytes })
    }
    if (onlyIfDifferent) {
      const compared = await picotool(['verify', path], signal, tell('comparing'))
      if (compared?.code === 0) {
        await picotool(['reboot'], signal)
        return { written: false }
      }
    }
    log.info({ place: placeOf(job.transport), board: board.name, bytes: image.bytes }, 'writing firmware')
    onProgress({ step: 'writing', done: 0, total: image.bytes })
    const written = await picotool(['load', '-v', '-x', path], signal, tell('writing'))
    if (written?.code !== 0) throw flashFailed(`picotool ended with ${written?.code}: ${lastLine(written)}`, true)
    return { written: true }
  })
}

/** The boot loader takes a moment to be on the bus. */
async function seenByPicotool(job: Job, signal: AbortSignal): Promise<void> {
  const { clock } = job
  const untilMs = clock.monotonic() + APPEARS_MS
  for (;;) {
    const said = await picotool(['info'], signal)
    if (said?.code === 0) return
    if (clock.monotonic() > untilMs) throw silent(job, `picotool says: ${lastLine(said)}`)
    await clock.sleep(POLL_MS, signal)
  }
}

const lastLine = (said: Said | undefined): string => said?.text.trim().split('\n').at(-1) ?? ''

function silent({ transport, board }: Job, more: string): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'instrument',
    retry: 'later',
    message: `the board at ${transport.path} does not show its boot loader, the drive ${board.driveLabel}; hold its BOOTSEL button while you plug it in. If it is there: ${more}`,
  })
}

function noDrive(folder: string, { title, driveLabel }: PicoBoard): LabError {
  const message = `${folder} is not the drive of a ${title}, which has INFO_UF2.TXT and the label ${driveLabel}; hold BOOTSEL while you plug the board in`
  return new LabError({ code: 'board-silent', kind: 'instrument', retry: 'later', message })
}

function differs(folder: string, found: string, { title, driveId }: PicoBoard): LabError {
  const message = `the board at ${folder} says that it is ${found}, and the ${title} says ${driveId}; nothing was written`
  return new LabError({ code: 'board-differs', kind: 'configuration', message })
}

function incomparable(folder: string): LabError {
  const message = `what the board at ${folder} holds can not be read from its drive, only by picotool: sudo apt install picotool, and name its serial port`
  return new LabError({ code: 'board-incomparable', kind: 'configuration', message })
}

function notAtUsb(title: string): LabError {
  const message = `a ${title} is flashed over its own USB: its port is a serial device (/dev/serial/by-id/…) or the folder of its drive`
  return new LabError({ code: 'board-not-here', kind: 'configuration', message })
}
