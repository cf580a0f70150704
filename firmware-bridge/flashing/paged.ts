/** Writing in pages, as boot loaders of AVRs take it, whatever they are told in. */
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { AvrBoard } from './board-kinds.ts'
import { type FlashJob, type FlashResult, flashFailed, placeOf } from './flasher.ts'
import { type FirmwareImage, hex } from './intel-hex.ts'

/** A boot loader that is spoken to. */
export interface PagedLoader {
  /** Waits for the boot loader; rejects with `board-silent`. */
  connect(): Promise<void>
  signature(): Promise<readonly [number, number, number]>
  enter(): Promise<void>
  /** Erases the page at the address and writes it. */
  writePage(address: number, data: Uint8Array): Promise<void>
  readPage(address: number, length: number): Promise<Uint8Array>
  /** The firmware starts. */
  leave(): Promise<void>
}

interface Page {
  readonly address: number
  readonly data: Uint8Array
}

/**
 * Connects, checks the chip, compares or writes and reads back; when it resolves, the firmware starts. `onWriting` is
 * called before the first byte is written. Rejects with `board-differs`, `flash-failed`, or what the boot loader says.
 */
export async function writePaged(
  loader: PagedLoader,
  job: FlashJob<AvrBoard>,
  onWriting: () => void,
): Promise<FlashResult> {
  const { board, image, onlyIfDifferent, log } = job
  const place = placeOf(job.transport)
  await loader.connect()
  const signature = await loader.signature()
  if (!board.signatures.some((known) => known.every((byte, i) => byte === signature[i])))
    throw differs(place, board, signature)
  await loader.enter()
  const pages = pagesOf(image, board.pageBytes)
  if (onlyIfDifferent && (await firstDifference(loader, job, pages, 'comparing')) === undefined) {
    await loader.leave()
    return { written: false }
  }
  log.info({ place, board: board.name, bytes: image.bytes }, 'writing firmware')
  onWriting()
  try {
    for (const [i, { address, data }] of pages.entries()) {
      await loader.writePage(address, data)
      job.onProgress({ step: 'writing', done: (i + 1) * board.pageBytes, total: pages.length * board.pageBytes })
    }
    const wrong = await firstDifference(loader, job, pages, 'verifying')
    if (wrong !== undefined)
      throw flashFailed(`${place} holds something else at ${hex(wrong)} than was written there`, true)
    await loader.leave()
  } catch (thrown) {
    if (job.signal.aborted && thrown === job.signal.reason) throw thrown
    const cause = asLabError(thrown)
    throw cause.code === 'flash-failed' ? cause : flashFailed(cause.message, true, cause)
  }
  return { written: true }
}

/** The address of the first byte that the board holds otherwise. */
async function firstDifference(
  loader: PagedLoader,
  { image, onProgress }: FlashJob,
  pages: readonly Page[],
  step: 'comparing' | 'verifying',
): Promise<number | undefined> {
  let done = 0
  for (const { address, data } of pages) {
    const held = await loader.readPage(address, data.length)
    const at = data.findIndex((byte, i) => byte !== held[i])
    if (at !== -1) return address + at
    done += data.length
    onProgress({ step, done: Math.min(done, image.bytes), total: image.bytes })
  }
  return undefined
}

/** Whole pages; what the image leaves out of one is left erased. */
function pagesOf({ parts }: FirmwareImage, pageBytes: number): Page[] {
  const pages = new Map<number, Uint8Array>()
  for (const { address, data } of parts) {
    for (const [i, byte] of data.entries()) {
      const start = Math.floor((address + i) / pageBytes) * pageBytes
      let page = pages.get(start)
      if (page === undefined) {
        page = new Uint8Array(pageBytes).fill(0xff)
        pages.set(start, page)
      }
      page[address + i - start] = byte
    }
  }
  return [...pages].sort(([a], [b]) => a - b).map(([address, data]) => ({ address, data }))
}

function differs(place: string, board: AvrBoard, signature: readonly number[]): LabError {
  const text = (bytes: readonly number[]) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
  return new LabError({
    code: 'board-differs',
    kind: 'configuration',
    message: `the chip at ${place} has the signature ${text(signature)}, and that of the ${board.title} (${board.chip}) is ${text(board.signatures[0] ?? [])}; nothing was written`,
  })
}
