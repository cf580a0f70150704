/** A part of a bench for one person of several: nobody has more under way there than MOST_CALLS. */

import type { Service } from '@fernlab/shared/rpc/contract/serve-service'
import { busy } from '@fernlab/shared/rpc/errors'
import { countedStream } from '../counted-stream.ts'
import { PersonShares } from '../person-shares.ts'

/** Calls and streams of one person at parts of benches, by however many connections. */
export const MOST_CALLS = 256

export const partShares = (): PersonShares =>
  new PersonShares(MOST_CALLS, Number.POSITIVE_INFINITY, () =>
    busy(
      `you have ${MOST_CALLS} calls and streams under way at parts of benches of this node already: wait for answers`,
    ),
  )

/** The service, with what is under way counted as the person's; refuses with `link-busy`. */
export function sharedPart(service: Service, person: () => string, shares: PersonShares): Service {
  const counted = async <T>(begin: () => T): Promise<Awaited<T>> => {
    const over = shares.take(person())
    try {
      return await begin()
    } finally {
      over()
    }
  }
  const { read, set, follow, gives } = service
  return {
    get contract() {
      return service.contract
    },
    get mostRateHz() {
      return service.mostRateHz
    },
    call: (...call) => counted(() => service.call(...call)),
    ...(read && { read: (...asked) => counted(() => read(...asked)) }),
    ...(set && { set: (...given) => counted(() => set(...given)) }),
    ...(gives && { gives: (signals) => gives(signals) }),
    ...(follow && {
      follow: (...asked) => {
        const over = shares.take(person())
        try {
          return countedStream(follow(...asked), over)
        } catch (thrown) {
          over()
          throw thrown
        }
      },
    }),
  }
}
