/** A service that is in a daemon, as the node serves it. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { ServedReading, Service } from '@fernlab/shared/rpc/contract/serve-service'
import type { ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import type { Peer } from '@fernlab/shared/rpc/peer/peer'
import type { CallContext } from '@fernlab/shared/rpc/peer/serving'
import { followByReading } from '../follow-by-reading.ts'
import type { Share } from './daemon-calls.ts'
import type { HostedMember } from './host-messages.ts'
import { type Hide, hiddenIn } from './parameters-hidden.ts'

export interface DaemonServiceOptions {
  readonly name: string
  readonly contract: ServiceContract
  readonly clock: Clock
  /** The process, or a throw with why there is none. */
  readonly peer: () => Peer
  /** The client's connection, where it has an object of its own. */
  readonly session: string | undefined
  /** What the person has under way in the process. */
  readonly share: Share
  /** Its errors, without what its clients may not see. */
  readonly hide: Hide
}

/** How often signals are read for who follows them and names no rate. */
const FOLLOW_HZ = 1
/** Whoever called has a deadline, which aborts the signal; without one here the process would have its own. */
const LONG_MS = 30 * 24 * 3_600_000

/** What does the calls of one client. */
export function daemonService({ name, contract, clock, peer, session, share, hide }: DaemonServiceOptions): Service {
  const call = async (member: HostedMember, params: object, { signal }: CallContext, idempotent = false) => {
    const done = share.call(`${name}/${'action' in params ? params.action : member}`, signal, (number) =>
      peer().call(`${name}/${member}`, { ...params, session, call: number }, { timeoutMs: LONG_MS, idempotent }),
    )
    return await done.catch((thrown: unknown) => Promise.reject(hide(thrown)))
  }
  const stream = (member: HostedMember, params: object, { signal }: CallContext) =>
    hiddenIn(
      share.stream(() => peer().stream(`${name}/${member}`, { ...params, session }, { signal })),
      hide,
    )
  const read = async (signals: readonly string[], context: CallContext) =>
    (await call('read', { signals }, context, true)) as Readonly<Record<string, ServedReading>>
  return {
    contract,
    call: (action, args, context) => {
      const { items, idempotent } = contract.actions[action] ?? {}
      const params = { action, args }
      return items === undefined ? call('call', params, context, idempotent) : stream('call', params, context)
    },
    read,
    set: async (signal, value, context) => void (await call('set', { signal, value }, context)),
    follow: (signals, rateHz = FOLLOW_HZ, context) =>
      followByReading({ read: () => read(signals, context), rateHz, clock, signal: context.signal }),
    events: (names, context) => stream('events', { names }, context),
  }
}
