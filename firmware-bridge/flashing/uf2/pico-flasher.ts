/** Flashing of Raspberry Pi's Pico and its kin: by picotool where that is installed, or by a copy to the drive that it shows. */
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { TransportConfig } from '../../transports/transport.ts'
import type { PicoBoard } from '../board-kinds.ts'
import { type Flasher, type FlashJob, type FlashResult, flashFailed, oneTry, placeOf } from '../flasher.ts'
import { touch } from '../touch.ts'
import { socketOfPort } from '../usb-ports.ts'
import {
  atSocket,
  type BootLoader,
  bootLoaders,
  type IsMeant,
  meantByName,
  type PicoPlaces,
  picoPlaces,
  socketOfDrive,
} from './boot-loaders.ts'
import { appearingDrive, boardAt, copyToDrive } from './drive.ts'
import { picotool, type Said, withFile } from './picotool.ts'

const LONGEST_MS = 3 * 60_000
/** From the touch until the boot loader is on the bus. */
const APPEARS_MS = 15_000
/** From then until picotool reaches it. */
const REACHED_MS = 5000
const POLL_MS = 500

type Job = FlashJob<PicoBoard> & {
  readonly transport: Extract<TransportConfig, { kind: 'serial' }>
  readonly places: PicoPlaces
}

/**
 * The port is the board's serial port, or the folder in which its drive is mounted. Comparing needs picotool; what was
 * copied to the drive is taken for verified when the boot loader has left, which it does with the last block.
 *
 * INVARIANT: no board is written but the one behind the port: a boot loader is taken for it at the socket at which the
 * port was, or that the port's name tells.
 */
export function createPicoFlasher(places: PicoPlaces = picoPlaces): Flasher<PicoBoard> {
  /** Where its port was seen; it is gone when a try leaves the board in its boot loader. */
  let socket: string | undefined
  const perform = async (job: FlashJob<PicoBoard>, signal: AbortSignal): Promise<FlashResult> => {
    const { transport, image } = job
    if (transport.kind !== 'serial') throw notAtUsb(job.board.title)
    const { file } = image
    if (file === undefined)
      throw new LabError({ code: 'firmware-file-wrong', kind: 'configuration', message: 'this board takes UF2 files' })
    const own: Job = { ...job, transport, places }
    job.onProgress({ step: 'connecting', done: 0, total: image.bytes })
    const { path } = transport
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    )
    if (isFolder) return await byDrive(path, file, own, signal)
    if (existsSync(path)) {
      const now = await socketOfPort(path, places.sys)
      socket ??= now
      if (socket === undefined) throw notAtUsb(job.board.title)
      // Another board may have the name once this one is in its boot loader: what was seen first counts.
      if (now === socket) await enterBootLoader(own, signal)
    }
    const isMeant = socket === undefined ? meantByName(path) : atSocket(socket)
    if (isMeant === undefined) throw unnamed(own, await bootLoaders(places.sys))
    const board = await seen(own, isMeant, signal)
    if ((await picotool(['version'], signal)) !== undefined) return await byPicotool(file, board, own, signal)
    return await byDrive(await driveOf(board, own, signal), file, own, signal)
  }
  return {
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
}

/** A port that is there and can not be opened is told; one that leaves the bus in this moment has entered it already. */
async function enterBootLoader({ transport, openTransport, log }: Job, signal: AbortSignal): Promise<void> {
  try {
    await touch(transport, openTransport, signal)
  } catch (thrown) {
    if (!(thrown instanceof LabError) || thrown.code !== 'transport-unreachable') throw thrown
    if (existsSync(transport.path)) throw thrown
    log.debug({ path: transport.path, reason: thrown.message }, 'a board may be in its boot loader already')
  }
}

/** Waits until the board is on the bus with its boot loader. */
async function seen(job: Job, isMeant: IsMeant, signal: AbortSignal): Promise<BootLoader> {
  const { clock, board, places, transport } = job
  const untilMs = clock.monotonic() + APPEARS_MS
  for (;;) {
    const all = await bootLoaders(places.sys)
    const found = all.find(isMeant)
    if (found?.product === board.usbProduct) return found
    if (found !== undefined) throw differs(transport.path, 'of another kind', board)
    if (clock.monotonic() > untilMs) throw silent(job, all)
    await clock.sleep(POLL_MS, signal)
  }
}

async function driveOf({ socket }: BootLoader, job: Job, signal: AbortSignal): Promise<string> {
  const { board, clock, places, transport } = job
  const isMeant = async (drive: { device: string }) => (await socketOfDrive(drive.device, places.sys)) === socket
  const folder = await appearingDrive(board.driveId, isMeant, clock, signal, places.mounts)
  if (folder !== undefined) return folder
  throw new LabError({
    code: 'board-silent',
    kind: 'instrument',
    retry: 'later',
    message: `the board at ${transport.path} is in its boot loader, at the USB socket ${socket}, and its drive ${board.driveLabel} is not mounted: mount it and name its folder as the port, or: sudo apt install picotool`,
  })
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
  const end = await copyToDrive(folder, file, { label: board.driveLabel, clock, signal, onBytes })
  if (end === 'lost') throw flashFailed(`the drive at ${folder} was gone before all was written`, true)
  if (end === 'stays') throw flashFailed(`the boot loader at ${folder} has the file and does not start it`, true)
  return { written: true }
}

async function byPicotool(
  file: Uint8Array,
  { bus, address }: BootLoader,
  job: Job,
  signal: AbortSignal,
): Promise<FlashResult> {
  const { image, log, board, onlyIfDifferent, onProgress } = job
  const which = ['--bus', String(bus), '--address', String(address)]
  await reachedByPicotool(which, job, signal)
  return await withFile(file, async (path) => {
    const tell = (step: 'comparing' | 'writing') => (text: string) => {
      const percent = Number(/(\d+)%[^%]*$/.exec(text)?.[1] ?? 0)
      const now = step === 'writing' && /Verifying/.test(text) ? 'verifying' : step
      onProgress({ step: now, done: Math.round((percent / 100) * image.bytes), total: image.bytes })
    }
    if (onlyIfDifferent) {
      const compared = await picotool(['verify', path, ...which], signal, tell('comparing'))
      if (compared?.code === 0) {
        await picotool(['reboot', ...which], signal)
        return { written: false }
      }
    }
    log.info({ place: placeOf(job.transport), board: board.name, bytes: image.bytes }, 'writing firmware')
    onProgress({ step: 'writing', done: 0, total: image.bytes })
    const written = await picotool(['load', '-v', '-x', path, ...which], signal, tell('writing'))
    if (written?.code !== 0) throw flashFailed(`picotool ended with ${written?.code}: ${lastLine(written)}`, true)
    return { written: true }
  })
}

/** Its device file takes a moment to be there, and to belong to the group that may use it. */
async function reachedByPicotool(which: readonly string[], job: Job, signal: AbortSignal): Promise<void> {
  const { clock, transport } = job
  const untilMs = clock.monotonic() + REACHED_MS
  for (;;) {
    const said = await picotool(['info', ...which], signal)
    if (said?.code === 0) return
    if (clock.monotonic() > untilMs)
      throw new LabError({
        code: 'board-silent',
        kind: 'instrument',
        retry: 'later',
        message: `picotool can not reach the board at ${transport.path}: ${lastLine(said)}`,
      })
    await clock.sleep(POLL_MS, signal)
  }
}

const lastLine = (said: Said | undefined): string => said?.text.trim().split('\n').at(-1) ?? ''

function silent({ transport, board }: Job, others: readonly BootLoader[]): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'instrument',
    retry: 'later',
    message: `the board at ${transport.path} does not show its boot loader; hold its BOOTSEL button while you plug it in, into the same socket, or name the folder of its drive ${board.driveLabel} as the port${leftAlone(others)}`,
  })
}

function unnamed({ transport, board }: Job, others: readonly BootLoader[]): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'configuration',
    message: `${transport.path} is not there, and such a name does not tell which board in its boot loader is meant; name the socket that it is plugged into (/dev/serial/by-path/…) or the folder of its drive ${board.driveLabel}, or plug it in without BOOTSEL${leftAlone(others)}`,
  })
}

const leftAlone = (others: readonly BootLoader[]): string =>
  others.length === 0
    ? ''
    : `; what waits in its boot loader at the USB socket ${others.map(({ socket }) => socket).join(', ')} may be another board, and was left alone`

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
