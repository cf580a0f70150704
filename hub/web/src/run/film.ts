import type { Recording } from '@fernlab/shared/contracts/recordings'

/** A picture of a recording, by where it is. */
export interface Frame {
  /** Epoch seconds, on the clock of the readings. */
  readonly time: number
  readonly piece: number
  readonly index: number
}

export interface Film {
  readonly part: string
  /** In order. */
  readonly frames: readonly Frame[]
}

/** A recording with what has come after it. */
export function joinRecordings(known: Recording, more: Recording): Recording {
  const parts = [...new Set([...known.cameras, ...more.cameras].map(({ part }) => part))]
  const cameras = parts.map((part) => {
    const both = [known, more].flatMap(({ cameras }) => cameras.filter((camera) => camera.part === part))
    return {
      part,
      bytes: both.reduce((sum, { bytes }) => sum + bytes, 0),
      pieces: both.flatMap(({ pieces }) => pieces),
    }
  })
  return { attempt: more.attempt, cursor: more.cursor, cameras }
}

/** The pictures of each camera in order of time. */
export function filmsIn({ cameras }: Pick<Recording, 'cameras'>): Film[] {
  return cameras.map(({ part, pieces }) => ({
    part,
    frames: pieces
      .flatMap(({ number, times }) => times.map((time, index) => ({ time, piece: number, index })))
      .sort((a, b) => a.time - b.time),
  }))
}

/** The place of the picture that is nearest to a moment; -1 where there is none. Of two that are as near, the earlier. */
export function nearestFrame(frames: readonly Frame[], time: number): number {
  let low = 0
  let high = frames.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((frames[middle]?.time ?? 0) < time) low = middle + 1
    else high = middle
  }
  const before = frames[low - 1]
  return before !== undefined && time - before.time <= (frames[low]?.time ?? Number.POSITIVE_INFINITY) - time
    ? low - 1
    : high
}

/** A picture further from the moment than this is said to be. */
export const CLOSE_S = 0.05
