/**
 * Downloads that must be whole files before they can be sent.
 *
 * INVARIANTS: at most `mostAtOnce` files are being made or sent, so threads and disk are bounded; a file goes when it was
 * sent, when its reader leaves, and when its reader takes nothing for `stalledMs`.
 */
import { type FileHandle, mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type Conversion, createConverterThread } from './converter-thread.ts'
import type { ConverterSpec } from './converters.ts'

const mostAtOnce = 2
export const stalledMs = 60_000

export interface Hdf5Files {
  /** Makes the file of the pages, then gives it out; ends without a byte when the signal aborts first. */
  send(
    spec: Omit<Extract<ConverterSpec, { format: 'hdf5' }>, 'format' | 'path'>,
    pages: () => AsyncIterable<readonly Uint8Array[]>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void>
}

/** Removes what a hub that was killed has left in the folder. */
export async function clearDownloads(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

/** Files in a folder that is made when the first is asked for. */
export function createHdf5Files({ folder, clock }: { folder: string; clock: Clock }): Hdf5Files {
  const turns = createTurns(mostAtOnce)

  const make: (...asked: Parameters<Hdf5Files['send']>) => Promise<FileHandle | undefined> = async (
    spec,
    pages,
    signal,
  ) => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const place = await mkdtemp(join(folder, 'hdf5-'))
    // A thread of its own: the library's memory goes with it.
    const thread = createConverterThread({ clock })
    try {
      const path = join(place, 'data.h5')
      const conversion = await thread.open({ format: 'hdf5', ...spec, path })
      for await (const bodies of pages()) {
        if (signal.aborted) return undefined
        await takeIn(conversion, bodies)
      }
      await conversion.finish()
      return await open(path)
    } finally {
      await thread.close()
      // Once it is open it needs no name: its space is free again when it is closed.
      await rm(place, { recursive: true, force: true })
    }
  }

  return {
    send: async function* (spec, pages, signal) {
      const turn = await turns.take(signal)
      if (turn === undefined) return
      try {
        const file = (await make(spec, pages, signal))?.createReadStream({ highWaterMark: 262_144 })
        if (file === undefined) return
        for await (const piece of file as AsyncIterable<Uint8Array>) {
          const cancel = clock.after(stalledMs, () => {
            const message = `nothing was read for ${stalledMs / 1000} s`
            file.destroy(new LabError({ code: 'download-stalled', kind: 'link', message }))
            turn.end()
          })
          try {
            yield piece
          } finally {
            cancel()
          }
        }
      } finally {
        turn.end()
      }
    },
  }
}

/** For forms that give nothing out before their end. */
export async function takeIn(conversion: Conversion, bodies: readonly Uint8Array[]): Promise<void> {
  for await (const piece of conversion.pages(bodies)) {
    throw new LabError({ code: 'conversion-failed', kind: 'bug', message: `${piece.byteLength} bytes came too early` })
  }
}

interface Turn {
  /** Idempotent. */
  end(): void
}

/** Turns for at most so many at once, in the order in which they were asked for. */
function createTurns(most: number) {
  let free = most
  const waiting = new Set<() => void>()
  const turn = (): Turn => {
    let ended = false
    return {
      end: () => {
        if (ended) return
        ended = true
        const [next] = waiting
        if (next === undefined) free++
        else next()
      },
    }
  }
  return {
    /** Undefined when the signal aborted first. */
    take: (signal: AbortSignal) =>
      new Promise<Turn | undefined>((resolve) => {
        if (signal.aborted) return resolve(undefined)
        if (free > 0) {
          free--
          return resolve(turn())
        }
        const settle = (mine: Turn | undefined) => {
          waiting.delete(start)
          signal.removeEventListener('abort', leave)
          resolve(mine)
        }
        const leave = () => settle(undefined)
        const start = () => settle(turn())
        waiting.add(start)
        signal.addEventListener('abort', leave, { once: true })
      }),
  }
}
