/** Counts how often a value rises through a threshold. */
export interface Crossings {
  add(timeS: number, value: number): void
  /**
   * Crossings per second: the inverse of the mean interval between the first and the last (times interpolated) with
   * the scatter of the intervals as its uncertainty; with one or none, their number over the time covered.
   */
  rate(): { value: number; uncertainty?: number } | { missing: string }
}

/** A counter that has seen nothing. */
export function createCrossings(threshold: number): Crossings {
  let before: { timeS: number; value: number } | undefined
  let start: number | undefined
  let [first, last] = [0, 0]
  let [count, intervals, mean, squares] = [0, 0, 0, 0]
  return {
    add: (timeS, value) => {
      start ??= timeS
      if (before !== undefined && before.value < threshold && value >= threshold) {
        const share = (threshold - before.value) / (value - before.value)
        const at = before.timeS + share * (timeS - before.timeS)
        if (count === 0) first = at
        else {
          intervals += 1
          const delta = at - last - mean
          mean += delta / intervals
          squares += delta * (at - last - mean)
        }
        count += 1
        last = at
      }
      before = { timeS, value }
    },
    rate: () => {
      const covered = before === undefined || start === undefined ? 0 : before.timeS - start
      if (!(covered > 0)) return { missing: 'a rate needs rows that cover some time' }
      if (count < 2 || !(last > first)) return { value: count / covered }
      const rate = intervals / (last - first)
      if (intervals < 2) return { value: rate }
      const standardError = Math.sqrt(squares / (intervals - 1) / intervals)
      return { value: rate, uncertainty: standardError * rate * rate }
    },
  }
}
