/**
 * Slows down guessing, by client address.
 *
 * INVARIANTS: a try is used up before the work that may fail begins, so no number of guesses at once is let through;
 * success gives it back, so a class behind one address can come in together: those above the limit wait for the others.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { networkOf } from './client-address.ts'

export interface Attempts {
  /** Uses one try up; throws `too-many-attempts` while the address has none left. */
  use(address: string): void
  /** Does the work on one try, which is given back unless the work is refused by an error of the caller's. */
  guess<T>(address: string, work: () => Promise<T>): Promise<T>
}

interface Client {
  /** Monotonic ms of the tries that were used up. */
  used: number[]
  underWay: number
  /** Guesses that wait to hear how those under way end. */
  readonly waiting: (() => void)[]
}

const mostClients = 10_000

/** Lets an address, of IPv6 its /64 network, have `most` tries in any `windowMs`. */
export function createAttempts({ clock, most, windowMs }: { clock: Clock; most: number; windowMs: number }): Attempts {
  const clients = new Map<string, Client>()
  const clientAt = (address: string): Client => {
    const key = networkOf(address)
    const known = clients.get(key) ?? { used: [], underWay: 0, waiting: [] }
    const since = clock.monotonic() - windowMs
    known.used = known.used.filter((at) => at > since)
    // The latest to be heard of is the last to be dropped.
    clients.delete(key)
    clients.set(key, known)
    if (clients.size > mostClients) clients.delete(clients.keys().next().value ?? '')
    return known
  }
  const refuse = (address: string) =>
    new LabError({
      code: 'too-many-attempts',
      kind: 'caller',
      retry: 'later',
      message: `too many attempts from ${address}; at most ${most} in ${windowMs / 60_000} min`,
      studentMessage: 'There were too many attempts from here. Wait a few minutes and try again.',
    })
  return {
    use: (address) => {
      const { used } = clientAt(address)
      if (used.length >= most) throw refuse(address)
      used.push(clock.monotonic())
    },
    guess: async (address, work) => {
      const client = clientAt(address)
      while (client.used.length < most && client.used.length + client.underWay >= most) {
        await new Promise<void>((resolve) => client.waiting.push(resolve))
      }
      if (client.used.length >= most) throw refuse(address)
      client.underWay++
      try {
        return await work()
      } catch (error) {
        if (asLabError(error).kind === 'caller') client.used.push(clock.monotonic())
        throw error
      } finally {
        client.underWay--
        for (const wake of client.waiting.splice(0)) wake()
      }
    },
  }
}
