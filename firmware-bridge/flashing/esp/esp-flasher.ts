/** Flashing of Espressif's chips by esptool-js, which is loaded with the first of them. */
import { createHash } from 'node:crypto'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { ESPLoader } from 'esptool-js'
import type { Transport } from '../../transports/transport.ts'
import type { EspBoard } from '../board-kinds.ts'
import { atSpeed, type Flasher, type FlashJob, type FlashResult, flashFailed, oneTry, placeOf } from '../flasher.ts'
import { hex } from '../intel-hex.ts'

/** Of the chip's ROM, whatever is changed to then. */
const ROM_BAUD = 115_200
/** 4 MiB that do not compress take 6 min at 115200 baud. */
const LONGEST_MS = 10 * 60_000
/** Between two tries with their resets, 5 SYNCs each. */
const CONNECT_TRIES = 3
const RESET_MS = 100

interface Part {
  readonly address: number
  readonly data: Uint8Array
  readonly md5: string
}

/** Writes by the stub that esptool-js loads into the chip's RAM, and compares by MD5 sums that the chip computes. */
export const espFlasher: Flasher<EspBoard> = {
  flash: async (job) => {
    let writing = false
    const late = () =>
      flashFailed(`${placeOf(job.transport)} was not flashed within ${LONGEST_MS / 60_000} min`, writing)
    return await oneTry(job, LONGEST_MS, late, async (within) => {
      job.onProgress({ step: 'connecting', done: 0, total: job.image.bytes })
      const transport = await job.openTransport(atSpeed(job.transport, ROM_BAUD), within)
      try {
        return await perform(job, transport, within, () => {
          writing = true
        })
      } finally {
        await transport.close()
      }
    })
  },
}

async function perform(
  job: FlashJob<EspBoard>,
  transport: Transport,
  signal: AbortSignal,
  onWriting: () => void,
): Promise<FlashResult> {
  const { image, onlyIfDifferent, log, clock, board } = job
  const place = placeOf(job.transport)
  let isReset = false
  try {
    const loader = await connected(job, transport, signal)
    const parts = partsOf(job)
    const isHeld = await whileWhole(place, signal, async () => {
      await requireFitting(loader, job)
      return onlyIfDifferent && (await firstDifference(loader, job, parts, 'comparing')) === undefined
    })
    if (isHeld) {
      await leave(loader, transport, job)
      isReset = true
      return { written: false }
    }
    log.info({ place, board: board.name, bytes: image.bytes }, 'writing firmware')
    onWriting()
    await whileSpoilt(signal, async () => {
      await write(loader, job, parts)
      const wrong = await firstDifference(loader, job, parts, 'verifying')
      if (wrong !== undefined)
        throw flashFailed(`${place} holds something else from ${hex(wrong)} on than was written there`, true)
      await leave(loader, transport, job)
    })
    isReset = true
    return { written: true }
  } finally {
    // What it had runs again, where nothing was written, also when it came no further than into its boot loader.
    if (!isReset) await resetByLines(transport, clock).catch((thrown) => log.debug({ place, thrown }, 'no reset'))
  }
}

/** The chip answers, and runs the stub where that may be; rejects with `board-silent`. */
async function connected(job: FlashJob<EspBoard>, transport: Transport, signal: AbortSignal): Promise<ESPLoader> {
  const { log, clock, board } = job
  const place = placeOf(job.transport)
  const [{ ESPLoader: Loader }, { PortTransport }] = await Promise.all([
    import('esptool-js'),
    import('./port-transport.ts'),
  ])
  const said = (text: string) => {
    if (text.trim() !== '') log.debug({ place, said: text.trim() }, 'esptool-js')
  }
  const loader = new Loader({
    transport: new PortTransport(transport, clock, signal),
    baudrate: transport.setBaudRate === undefined ? ROM_BAUD : board.baudRate,
    romBaudrate: ROM_BAUD,
    terminal: { clean: () => {}, writeLine: said, write: said },
  })
  try {
    await loader.detectChip('default_reset', CONNECT_TRIES)
  } catch (thrown) {
    signal.throwIfAborted()
    if (thrown instanceof LabError && thrown.kind === 'link') throw thrown
    throw silent(place, thrown)
  }
  return loader
}

/** Rejects with `board-differs` for another chip, one that is locked, or less flash than the firmware needs. */
async function requireFitting(loader: ESPLoader, job: FlashJob<EspBoard>): Promise<void> {
  const { board, image } = job
  const place = placeOf(job.transport)
  const found = loader.chip.CHIP_NAME
  if (found !== board.chip)
    throw differs(`the chip at ${place} is an ${found}, and that of the ${board.title} is an ${board.chip}`)
  if (loader.secureDownloadMode)
    throw differs(`the chip at ${place} is locked (secure download mode): what is written can not be compared`)
  await loader.runStub()
  if (loader.baudrate !== ROM_BAUD) await loader.changeBaud()
  const size = await loader.detectFlashSize()
  const bytes = size === undefined ? image.end : loader.flashSizeBytes(size)
  if (image.end > bytes)
    throw differs(`the board at ${place} has ${size} of flash, and the firmware ends at ${hex(image.end)}`)
}

async function whileWhole<T>(place: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    signal.throwIfAborted()
    if (thrown instanceof LabError) throw thrown
    throw flashFailed(`${place}: ${textOf(thrown)}`, false, thrown)
  }
}

/** In whole words of 4 bytes, as the chip writes them. */
function partsOf({ image }: FlashJob<EspBoard>): Part[] {
  return image.parts.map(({ address, data: bytes }) => {
    const data = new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(0xff)
    data.set(bytes)
    return { address, data, md5: createHash('md5').update(data).digest('hex') }
  })
}

async function write(loader: ESPLoader, { image, onProgress }: FlashJob<EspBoard>, parts: readonly Part[]) {
  const before = parts.map((_, i) => parts.slice(0, i).reduce((sum, { data }) => sum + data.length, 0))
  await loader.writeFlash({
    fileArray: parts,
    flashMode: 'keep',
    flashFreq: 'keep',
    flashSize: 'keep',
    eraseAll: false,
    compress: true,
    reportProgress: (index, written, total) => {
      const done = (before[index] ?? 0) + Math.round((written / total) * (parts[index]?.data.length ?? 0))
      onProgress({ step: 'writing', done: Math.min(done, image.bytes), total: image.bytes })
    },
  })
}

/** Where the first part begins that the chip holds otherwise. */
async function firstDifference(
  loader: ESPLoader,
  { image, onProgress }: FlashJob<EspBoard>,
  parts: readonly Part[],
  step: 'comparing' | 'verifying',
): Promise<number | undefined> {
  let done = 0
  onProgress({ step, done, total: image.bytes })
  for (const { address, data, md5 } of parts) {
    if ((await loader.flashMd5sum(address, data.length)) !== md5) return address
    done += data.length
    onProgress({ step, done: Math.min(done, image.bytes), total: image.bytes })
  }
  return undefined
}

/** The firmware starts: by the lines, or by what the stub does where there are none. */
async function leave(loader: ESPLoader, transport: Transport, { clock }: FlashJob<EspBoard>): Promise<void> {
  if (await resetByLines(transport, clock)) return
  await loader.flashBegin(0, 0)
  await loader.flashFinish(true)
}

/** EN is held low for a while; false where the transport has no lines. */
async function resetByLines({ setLines }: Transport, clock: FlashJob['clock']): Promise<boolean> {
  if (setLines === undefined) return false
  try {
    await setLines({ dtr: false, rts: true })
    await clock.sleep(RESET_MS)
    await setLines({ dtr: false, rts: false })
    return true
  } catch (thrown) {
    if (thrown instanceof LabError && thrown.code === 'modem-lines-refused') return false
    throw thrown
  }
}

async function whileSpoilt(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (thrown) {
    signal.throwIfAborted()
    const cause = asLabError(thrown)
    throw cause.code === 'flash-failed' ? cause : flashFailed(textOf(thrown), true, thrown)
  }
}

const textOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

function differs(message: string): LabError {
  return new LabError({ code: 'board-differs', kind: 'configuration', message: `${message}; nothing was written` })
}

function silent(place: string, cause: unknown): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'instrument',
    retry: 'later',
    message: `no boot loader answers at ${place}; check that the board is of the kind that was named and the one at this port, or hold its BOOT button while you press RESET, then flash it again`,
    cause,
  })
}
