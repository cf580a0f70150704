/**
 * Tells the node's own network where it takes links: by multicast DNS, for labs without a hub.
 *
 * INVARIANTS: only interfaces at which the node listens are told; who asks often is answered at most four times a second;
 * a network that takes nothing stops nothing, and is logged once; at the end those who heard of it hear that it is no more.
 */
import { answersTo, type DnsQuestion, recordsOf, type ToldNode } from '@fernlab/shared/network/dns-sd'
import { type Multicast, multicastAddresses, openMulticast } from '@fernlab/shared/network/multicast'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { isLoopback } from '@fernlab/shared/programs/loopback'

export interface TellNetworkOptions {
  readonly told: Omit<ToldNode, 'host'>
  /** The address that is listened at. */
  readonly host: string
  /** Of the interfaces that there are now; those of this machine unless given. */
  readonly addresses?: () => readonly string[]
  readonly clock: Clock
  readonly log: Log
}

export interface NetworkTelling {
  /** Says that the node is no more there. */
  close(): Promise<void>
}

/** Networks come and go. */
const LOOK_MS = 10_000
const AGAIN_MS = 1000
const EVERY_MS = 250

/** Goes on by itself until it is closed. */
export function tellNetwork(options: TellNetworkOptions): NetworkTelling {
  const { told, host, addresses = multicastAddresses, clock, log } = options
  const open = new Map<string, Promise<Teller | undefined>>()
  const failed = new Set<string>()
  let cancel = () => {}
  const begin = async (at: string): Promise<Teller | undefined> => {
    try {
      const teller = await openTeller({ at, told: { ...told, host: at }, clock })
      failed.delete(at)
      log.info({ at }, 'the network is told of this node')
      return teller
    } catch (thrown) {
      open.delete(at)
      if (!failed.has(at)) log.warn({ at, error: asLabError(thrown).message }, 'a network is not told of this node')
      failed.add(at)
      return undefined
    }
  }
  const look = () => {
    const wanted = interfacesOf(host, addresses())
    for (const [at, teller] of open) {
      if (wanted.includes(at)) continue
      open.delete(at)
      void teller.then((gone) => gone?.close())
    }
    for (const at of wanted) if (!open.has(at)) open.set(at, begin(at))
    cancel = clock.after(LOOK_MS, look)
  }
  if (host.includes(':') && host !== '::') {
    log.warn({ host }, 'networks are told of IPv4 addresses alone; this node listens at another')
    return { close: async () => {} }
  }
  look()
  return {
    close: async () => {
      cancel()
      await Promise.all([...open.values()].map(async (teller) => (await teller)?.close()))
    },
  }
}

/** Pure: where those are who can reach what is listened at. */
export function interfacesOf(host: string, all: readonly string[]): readonly string[] {
  if (host === '0.0.0.0' || host === '::') return all
  if (isLoopback(host)) return all.filter(isLoopback)
  return all.filter((one) => one === host)
}

interface Teller {
  close(): Promise<void>
}

interface TellerOptions {
  readonly at: string
  readonly told: ToldNode
  readonly clock: Clock
}

/** One interface. */
async function openTeller({ at, told, clock }: TellerOptions): Promise<Teller> {
  const records = recordsOf(told)
  let waiting: DnsQuestion[] = []
  let answeredAt = Number.NEGATIVE_INFINITY
  let cancelAnswer: (() => void) | undefined
  const unheard = () => {} // a network that is gone is looked for again, and told then
  const answer = () => {
    cancelAnswer = undefined
    answeredAt = clock.monotonic()
    const { answers, additionals } = answersTo(waiting, records)
    waiting = []
    multicast.tell(answers, additionals).catch(unheard)
  }
  const multicast: Multicast = await openMulticast({
    at,
    onAsked: (questions) => {
      const ours = questions.filter((question) => answersTo([question], records).answers.length > 0)
      if (ours.length === 0) return
      waiting = [...waiting, ...ours].slice(-records.length * 2)
      cancelAnswer ??= clock.after(Math.max(0, answeredAt + EVERY_MS - clock.monotonic()), answer)
    },
  })
  try {
    await multicast.tell(records)
  } catch (error) {
    await multicast.close()
    throw error
  }
  const cancelAgain = clock.after(AGAIN_MS, () => multicast.tell(records).catch(unheard))
  return {
    close: async () => {
      cancelAnswer?.()
      cancelAgain()
      await multicast.tell(recordsOf(told, 0)).catch(unheard)
      await multicast.close()
    },
  }
}
