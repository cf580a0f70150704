/**
 * A part of a bench for one person of several: nobody has more under way there than MOST_CALLS, and of these MOST_STREAMS
 * that its hardware samples by itself.
 */

import type { Service } from '@fernlab/shared/rpc/contract/serve-service'
import { busy } from '@fernlab/shared/rpc/errors'
import { countedStream } from '../counted-stream.ts'
import { PersonShares } from '../person-shares.ts'

/** Calls and streams of one person at parts of benches, by however many connections. */
export const MOST_CALLS = 256

/** Streams of samples of one person, which the hardware takes as quickly as it can. */
export const MOST_STREAMS = 16

export interface PartShares {
  readonly calls: PersonShares
  readonly streams: PersonShares
}

export const partShares = (): PartShares => ({
  calls: new PersonShares(MOST_CALLS, Number.POSITIVE_INFINITY, () =>
    busy(
      `you have ${MOST_CALLS} calls and streams under way at parts of benches of this node already: wait for answers`,
    ),
  ),
  streams: new PersonShares(MOST_STREAMS, Number.POSITIVE_INFINITY, () =>
    busy(
      `you follow ${MOST_STREAMS} streams of hardware of this node already: leave one, or follow more signals by one`,
    ),
  ),
})

/** The service, with what is under way counted as the person's; refuses with `link-busy`. */
export function sharedPart(service: Service, person: () => string, shares: PartShares): Service {
  const counted = async <T>(begin: () => T): Promise<Awaited<T>> => {
    const over = shares.calls.take(person())
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
    call: (...call) => counted(() => service.call(...call)),
    ...(read && { read: (...asked) => counted(() => read(...asked)) }),
    ...(set && { set: (...given) => counted(() => set(...given)) }),
    ...(gives && { gives: (signals) => gives(signals) }),
    ...(follow && {
      follow: (...asked) => {
        const [signals] = asked
        const back = [shares.calls.take(person())]
        const over = () => {
          for (const give of back) give()
        }
        try {
          if (gives?.(signals) === 'blocks') back.push(shares.streams.take(person()))
          return countedStream(follow(...asked), over)
        } catch (thrown) {
          over()
          throw thrown
        }
      },
    }),
  }
}
