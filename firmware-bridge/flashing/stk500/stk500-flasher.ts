import type { AvrBoard } from '../board-kinds.ts'
import { atSpeed, type Flasher, flashFailed, oneTry, placeOf } from '../flasher.ts'
import { writePaged } from '../paged.ts'
import { Stk500 } from './stk500.ts'

/** A full Uno takes 10 s at 115200 baud, and twice that at 57600. */
const LONGEST_MS = 60_000

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
        return await writePaged(stk500, job, () => {
          writing = true
        })
      } finally {
        await transport.close()
      }
    })
  },
}
