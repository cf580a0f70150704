import type { Clock } from '@fernlab/shared/primitives/clock'

/** Counts; false from the call on that is one more than `most` in the same second. */
export function perSecond(clock: Clock, most: number): () => boolean {
  let second = 0
  let count = 0
  return () => {
    const now = Math.floor(clock.monotonic() / 1000)
    if (now !== second) {
      second = now
      count = 0
    }
    return ++count <= most
  }
}
