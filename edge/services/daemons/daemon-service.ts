/** A service that is in a daemon, as the node serves it. */
import type { OnwardAction, ServedReading, Service } from '@fernlab/shared/rpc/contract/serve-service'
import type { ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import { type BatchAnswer, readBatchAnswer } from '@fernlab/shared/rpc/messages'
import { packed, tableOf } from '@fernlab/shared/rpc/peer/columns'
import type { HandedKind, Onward } from '@fernlab/shared/rpc/peer/handing-on'
import type { Peer } from '@fernlab/shared/rpc/peer/peer'
import type { CallContext } from '@fernlab/shared/rpc/peer/serving'
import type { SharedReadings } from '../shared-readings.ts'
import type { Share, Waited } from './daemon-calls.ts'
import { BATCH, type HostedBatch, type HostedMember } from './host-messages.ts'
import { type Hide, hiddenIn } from './parameters-hidden.ts'

export interface DaemonServiceOptions {
  readonly name: string
  readonly contract: ServiceContract
  /** The process, or a throw with why there is none. */
  readonly peer: () => Peer
  /** The client's connection, where it has an object of its own. */
  readonly own: OwnSession | undefined
  /** What the person has under way in the process. */
  readonly share: Share
  /** Of all who follow the same object, and the share that these readings are of. */
  readonly followed: { readonly readings: SharedReadings; readonly share: Share }
  /** Its errors, without what its clients may not see. */
  readonly hide: Hide
  /** Where calls of a batch are handed on together. */
  readonly onward: Onward | undefined
}

/** A connection that has an object of its own in a daemon, which is closed when the connection has ended. */
export interface OwnSession {
  readonly session: string
  /** Aborts with `session-ended` when the connection has ended, also where what it followed may be resumed. */
  readonly ended: AbortSignal
}

/** Whoever called has a deadline, which aborts the signal; without one here the process would have its own. */
const LONG_MS = 30 * 24 * 3_600_000

/** Of each stream of a daemon, what waits in the node until its client takes it. */
const WINDOW_BYTES = 512 * 1024

/** What does the calls of one client. */
export function daemonService(options: DaemonServiceOptions): Service {
  const { name, contract, peer, own, share, followed, hide, onward } = options
  const session = own?.session
  const kinds = new Map<string, OnwardAction>()
  const hidden = (thrown: unknown) => Promise.reject(hide(thrown))
  const call = (member: HostedMember, params: object, context: Waited, idempotent = false, of = share) =>
    of
      .call(`${name}/${'action' in params ? params.action : member}`, context, (number) => {
        // What lingers after its connection would have a new object made, that nothing closes.
        own?.ended.throwIfAborted()
        return peer().call(
          `${name}/${member}`,
          { ...params, session, call: number },
          { timeoutMs: LONG_MS, idempotent },
        )
      })
      .catch(hidden)
  const onwardTo = (action: string): OnwardAction | undefined => {
    const known = kinds.get(action)
    if (known !== undefined || onward === undefined) return known
    const spec = contract.actions[action]
    if (!canHandOn(spec)) return undefined
    const params = { action, session }
    const idempotent = spec?.idempotent === true
    const made = { to: onward, kind: { name: `${name}/${action}`, method: `${name}/call`, params, idempotent, hide } }
    kinds.set(action, made)
    return made
  }
  const stream = (member: HostedMember, params: object, context: CallContext) => {
    // Events are no object's; what an action gives is, and ends with it.
    const ended = member === 'call' ? own?.ended : undefined
    const signal = ended === undefined ? context.signal : AbortSignal.any([context.signal, ended])
    return hiddenIn(
      share.stream(() =>
        peer().stream(`${name}/${member}`, { ...params, session }, { signal, windowBytes: WINDOW_BYTES }),
      ),
      hide,
    )
  }
  const read = async (signals: readonly string[], context: Waited, of = share) =>
    (await call('read', { signals }, context, true, of)) as Readonly<Record<string, ServedReading>>
  return {
    contract,
    onward: onwardTo,
    call: (action, args, context) => {
      const { items, idempotent } = contract.actions[action] ?? {}
      const params = { action, args }
      return items === undefined ? call('call', params, context, idempotent) : stream('call', params, context)
    },
    read: (signals, context) => read(signals, context),
    set: async (signal, value, context) => void (await call('set', { signal, value }, context)),
    follow: (signals, rateHz, { signal }) =>
      share.stream(() =>
        followed.readings.follow({
          signals,
          rateHz,
          signal,
          // Whoever's turn it is, nobody's own share has to have room for the reading of all.
          read: (all, waited) => read(all, { signal: waited }, followed.share),
        }),
      ),
    events: (names, context) => stream('events', { names }, context),
  }
}

/** The process itself knows no patterns: it could not stop at a result that does not match one. */
const canHandOn = (action: ServiceContract['actions'][string] | undefined) =>
  action !== undefined && action.items === undefined && !JSON.stringify(action.result ?? null).includes('"pattern"')

/** Where calls of one client go on to together. They count as one call: one after another is under way. */
export function daemonOnward(share: Share, peer: (service: string) => Peer): Onward {
  return {
    hand: async (handed, { context, stop, room }): Promise<BatchAnswer> => {
      const numbers = new Map<HandedKind, number>()
      const calls = handed.map(({ kind }) => {
        const known = numbers.get(kind) ?? numbers.size
        numbers.set(kind, known)
        return known
      })
      const kinds = [...numbers.keys()]
      const [first] = kinds
      if (first === undefined) return { results: [], errors: [] }
      const named = kinds.length === 1 ? first.name : `a batch of ${first.name} and others`
      const answer = await share.call(named, context, (call) => {
        const batch: HostedBatch = {
          call,
          stop,
          room,
          kinds: kinds.map(({ method, params }) => ({ method, params })),
          calls: packed(calls),
          args: tableOf(
            handed.map(({ args }) => args),
            'packed',
          ),
        }
        const idempotent = kinds.every((kind) => kind.idempotent)
        return peer(first.name).call(BATCH, batch, { timeoutMs: LONG_MS, idempotent })
      })
      return readBatchAnswer(answer, handed.length)
    },
  }
}
