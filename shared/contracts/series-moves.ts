/** Which of the free times beside those of a series that are taken it has instead. Pure. */
import type { SeriesConflict, SeriesMove } from './bookings.ts'

/** For each of the times that are taken the nearest free one that is told and that none of the others gets. */
export function nearestMoves(conflicts: readonly SeriesConflict[]): SeriesMove[] {
  const moves: SeriesMove[] = []
  const taken: { readonly from: number; readonly until: number }[] = []
  for (const { start, end, movedFrom = start, before, after } of conflicts) {
    const lengthMs = Date.parse(end) - Date.parse(start)
    const awayMs = (at: string) => Math.abs(Date.parse(at) - Date.parse(movedFrom))
    const to = [after, before]
      .flatMap((at) => at ?? [])
      .sort((a, b) => awayMs(a) - awayMs(b))
      .find((at) => taken.every(({ from, until }) => until <= Date.parse(at) || Date.parse(at) + lengthMs <= from))
    if (to === undefined) continue
    moves.push({ from: movedFrom, to })
    taken.push({ from: Date.parse(to), until: Date.parse(to) + lengthMs })
  }
  return moves
}

/** The moves with these, which stand instead of earlier ones of the same times. */
export const movesWith = (moves: readonly SeriesMove[], more: readonly SeriesMove[]): SeriesMove[] => [
  ...moves.filter(({ from }) => more.every((other) => other.from !== from)),
  ...more,
]
