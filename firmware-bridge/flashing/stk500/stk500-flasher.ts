import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { AvrBoard } from '../board-kinds.ts'
import { atSpeed, type Flasher, type FlashJob, type FlashResult, flashFailed, oneTry, placeOf } from '../flasher.ts'
import { type FirmwareImage, hex } from '../intel-hex.ts'
import { Stk500 } from './stk500.ts'

/** A full Uno takes 10 s at 115200 baud, and twice that at 57600. */
const LONGEST_MS = 60_000

interface Page {
  readonly address: number
  readonly data: Uint8Array
}

/** Writes firmware in this process, over any transport. */
export const stk500Flasher: Flasher<AvrBoard> = {
  flash: async (job) => {
    const { clock, board, openTransport } = job
    let writing = false
    const late = () => flashFailed(`${placeOf(job.transport)} was not flashed within ${LONGEST_MS / 1000} s`, writing)
    return await oneTry(job, LONGEST_MS, late, async (within) => {
      job.onProgress({ step: 'connecting', done: 0, total: job.image.bytes })
      const transport = await openTransport(atSpeed(job.transport, board.baudRate), within)
      try {
        const stk500 = new Stk500({ transport, clock, signal: within, place: placeOf(job.transport) })
        return await perform(stk500, job, () => {
          writing = true
        })
      } finally {
        await transport.close()
      }
    })
  },
}

async function perform(stk500: Stk500, job: FlashJob<AvrBoard>, onWriting: () => void): Promise<FlashResult> {
  const { board, image, onlyIfDifferent, log } = job
  const place = placeOf(job.transport)
  await stk500.connect()
  const signature = await stk500.signature()
  if (!board.signatures.some((known) => known.every((byte, i) => byte === signature[i])))
    throw differs(place, board, signature)
  await stk500.enter()
  const pages = pagesOf(image, board.pageBytes)
  if (onlyIfDifferent && (await firstDifference(stk500, job, pages, 'comparing')) === undefined) {
    await stk500.leave()
    return { written: false }
  }
  log.info({ place, board: board.name, bytes: image.bytes }, 'writing firmware')
  onWriting()
  try {
    for (const [i, { address, data }] of pages.entries()) {
      await stk500.writePage(address, data)
      job.onProgress({ step: 'writing', done: (i + 1) * board.pageBytes, total: pages.length * board.pageBytes })
    }
    const wrong = await firstDifference(stk500, job, pages, 'verifying')
    if (wrong !== undefined)
      throw flashFailed(`${place} holds something else at ${hex(wrong)} than was written there`, true)
    await stk500.leave()
  } catch (thrown) {
    if (job.signal.aborted && thrown === job.signal.reason) throw thrown
    const cause = asLabError(thrown)
    throw cause.code === 'flash-failed' ? cause : flashFailed(cause.message, true, cause)
  }
  return { written: true }
}

/** The address of the first byte that the board holds otherwise. */
async function firstDifference(
  stk500: Stk500,
  { image, onProgress }: FlashJob,
  pages: readonly Page[],
  step: 'comparing' | 'verifying',
): Promise<number | undefined> {
  let done = 0
  for (const { address, data } of pages) {
    const held = await stk500.readPage(address, data.length)
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
