/**
 * Hands one camera's pictures to all who look.
 *
 * INVARIANTS: whoever is slow has the newest picture next and holds up nobody; nothing is kept for who does not look.
 */
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Picture } from '../driver.ts'

export interface Pictures {
  /** Those that come sooner are left out, for all who look; in pictures a second. */
  rateLimitHz: number
  add(picture: Picture): void
  /** Nothing comes for now: whoever waits for the next hears why. */
  stopped(reason: LabError): void
  /** The next one to come, whatever the limit; rejects with the signal's reason, or with why none comes. */
  next(signal: AbortSignal): Promise<Picture>
  /** Ends when the signal aborts. */
  follow(signal: AbortSignal): AsyncIterable<Picture>
}

interface Waiter {
  readonly take: (picture: Picture) => void
  readonly fail: (reason: LabError) => void
}

/** Clocks of cameras waver: a picture that comes this much of a period too soon is still on time. */
const EARLY = 0.2

export function createPictures(rateHz: number): Pictures {
  const waiting = new Set<Waiter>()
  const followers = new Set<(picture: Picture) => void>()
  let rateLimitHz = rateHz
  let shownAt = -Infinity

  async function* follow(signal: AbortSignal): AsyncGenerator<Picture> {
    let newest: Picture | undefined
    let wake = () => {}
    const take = (picture: Picture) => {
      newest = picture
      wake()
    }
    const stop = () => wake()
    followers.add(take)
    signal.addEventListener('abort', stop, { once: true })
    try {
      while (!signal.aborted) {
        if (newest === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
          continue
        }
        const picture = newest
        newest = undefined
        yield picture
      }
    } finally {
      followers.delete(take)
      signal.removeEventListener('abort', stop)
    }
  }

  return {
    get rateLimitHz() {
      return rateLimitHz
    },
    set rateLimitHz(hz) {
      rateLimitHz = hz
    },
    add: (picture) => {
      for (const { take } of waiting) take(picture)
      waiting.clear()
      if (picture.time - shownAt < (1 - EARLY) / rateLimitHz && picture.time >= shownAt) return
      shownAt = picture.time
      for (const take of followers) take(picture)
    },
    stopped: (reason) => {
      for (const { fail } of waiting) fail(reason)
      waiting.clear()
    },
    next: (signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const giveUp = () => {
          waiting.delete(waiter)
          reject(signal.reason)
        }
        const settled = () => signal.removeEventListener('abort', giveUp)
        const waiter: Waiter = {
          take: (picture) => {
            settled()
            resolve(picture)
          },
          fail: (reason) => {
            settled()
            reject(reason)
          },
        }
        waiting.add(waiter)
        signal.addEventListener('abort', giveUp, { once: true })
      }),
    follow,
  }
}
