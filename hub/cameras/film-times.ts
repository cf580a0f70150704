/**
 * When each picture of a film is shown, in whole ms from its beginning, from when it was seen (epoch seconds, by pieces). Pure.
 *
 * Where the clock was set back, or ahead within a piece, the film goes on after `LEAST_APART_S`: times in a file only grow.
 * A gap between pieces stays one, as long as it was.
 */
import { LEAST_APART_S } from '@fernlab/shared/contracts/recordings'

/** A piece is written after a second: more can not have passed in it, however slow the machine is. */
const MOST_PIECE_S = 30

export function filmTimes(pieces: readonly (readonly number[])[]): number[][] {
  let seen: number | undefined
  let shown = 0
  return pieces.map((times) => {
    let begun: number | undefined
    return times.map((time) => {
      const step = seen === undefined ? 0 : time - seen
      const isSet = step <= 0 || (begun !== undefined && shown + step - begun > MOST_PIECE_S)
      if (seen !== undefined) shown += isSet ? LEAST_APART_S : step
      seen = time
      begun ??= shown
      return Math.round(shown * 1000)
    })
  })
}
