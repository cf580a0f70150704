/**
 * Slows down guessing, by client address. Failures alone are counted for sign-in: a class behind one address must be
 * able to come in together.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface Attempts {
  /** Throws `too-many-attempts` while the address has used its tries up. */
  check(address: string): void
  /** Uses one try up. */
  count(address: string): void
}

const mostAddresses = 10_000

/** Lets an address have `most` tries in any `windowMs`. */
export function createAttempts({ clock, most, windowMs }: { clock: Clock; most: number; windowMs: number }): Attempts {
  const tries = new Map<string, number[]>()
  const recent = (address: string) => {
    const since = clock.monotonic() - windowMs
    const kept = (tries.get(address) ?? []).filter((at) => at > since)
    tries.delete(address)
    if (kept.length > 0) tries.set(address, kept)
    return kept
  }
  return {
    check: (address) => {
      if (recent(address).length < most) return
      throw new LabError({
        code: 'too-many-attempts',
        kind: 'caller',
        retry: 'later',
        message: `too many attempts from ${address}; at most ${most} in ${windowMs / 60_000} min`,
        studentMessage: 'There were too many attempts from here. Wait a few minutes and try again.',
      })
    },
    count: (address) => {
      tries.set(address, [...recent(address), clock.monotonic()])
      if (tries.size > mostAddresses) tries.delete(tries.keys().next().value ?? '')
    },
  }
}
