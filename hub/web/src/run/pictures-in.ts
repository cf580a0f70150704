import { pictureStreamPart } from '@fernlab/shared/contracts/pictures'
import type { StreamData } from './run-data.ts'

export interface PictureOfRun {
  readonly part: string
  readonly file: string
  /** Epoch seconds. */
  readonly time: number
}

/** The pictures of a run, the oldest first. */
export function picturesIn(streams: readonly StreamData[]): PictureOfRun[] {
  return streams
    .flatMap(({ stream, keys, time, columns }) => {
      const key = Object.keys(keys).find((name) => keys[name]?.external !== undefined)
      if (key === undefined) return []
      return time.flatMap((at, row) => {
        const file = columns[key]?.[row]
        return typeof file === 'string' ? [{ part: pictureStreamPart(stream), file, time: at }] : []
      })
    })
    .sort((a, b) => a.time - b.time)
}
