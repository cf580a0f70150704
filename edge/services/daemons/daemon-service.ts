/** A service that is in a daemon, as the node serves it. */
import { members } from '@fernlab/shared/rpc/contract/members'
import type { OnwardAction, ServedReading, Service } from '@fernlab/shared/rpc/contract/serve-service'
import type { ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import { type BatchAnswer, readBatchAnswer } from '@fernlab/shared/rpc/messages'
import { packed, tableOf } from '@fernlab/shared/rpc/peer/columns'
import type { HandedKind, Onward } from '@fernlab/shared/rpc/peer/handing-on'
import type { Peer } from '@fernlab/shared/rpc/peer/peer'
import type { CallContext } from '@fernlab/shared/rpc/peer/serving'
import type { SharedReadings } from '../shared-readings.ts'
import type { Daemon } from './daemon.ts'
import type { Share, Waited } from './daemon-calls.ts'
import { BATCH, type HostedBatch, type HostedMember } from './host-messages.ts'
import { type Hide, hiddenIn } from './parameters-hidden.ts'

export interface DaemonServiceOptions {
  readonly name: string
  readonly contract: ServiceContract
  readonly daemon: DaemonProcess
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

/** The process of a daemon, or a throw with why there is none; and what a call is told that it has broken. */
export type DaemonProcess = Pick<Daemon, 'peer' | 'broken'>

/** A connection that has an object of its own in a daemon, which is closed when the connection has ended. */
export interface OwnSession {
  readonly session: string
  /** Aborts with `session-ended` when the connection has ended, also where what it followed may be resumed. */
  readonly ended: AbortSignal
}

/** Whoever called has a deadline, which aborts the signal; without one here the process would have its own. */
const LONG_MS = 30 * 24 * 3_600_000

/** As clients name what they ask of signals and events. */
const methods = { call: 'call', read: members.read, set: members.set, events: members.events }

/** Of each stream of a daemon, what waits in the node until its client takes it. */
const WINDOW_BYTES = 512 * 1024

/** What does the calls of one client. */
export function daemonService(options: DaemonServiceOptions): Service {
  const { name, contract, daemon, own, share, followed, hide, onward } = options
  const session = own?.session
  const kinds = new Map<string, OnwardAction>()
  const hidden = (thrown: unknown) => Promise.reject(hide(thrown))
  const nameOf = (member: HostedMember, params: object) =>
    `${name}/${'action' in params ? params.action : methods[member]}`
  const call = (member: HostedMember, params: object, context: Waited, idempotent = false, of = share) => {
    const called = nameOf(member, params)
    let peer: Peer | undefined
    return of
      .call(called, context, (number) => {
        // What lingers after its connection would have a new object made, that nothing closes.
        own?.ended.throwIfAborted()
        peer = daemon.peer(name)
        return peer.call(`${name}/${member}`, { ...params, session, call: number }, { timeoutMs: LONG_MS, idempotent })
      })
      .catch(async (thrown: unknown) => hidden(await daemon.broken(thrown, { peer, called })))
  }
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
    const peer = daemon.peer(name)
    const sent = { ...params, session }
    const items = share.stream(() => peer.stream(`${name}/${member}`, sent, { signal, windowBytes: WINDOW_BYTES }))
    const called = nameOf(member, params)
    return hiddenIn(items, async (thrown) => hide(await daemon.broken(thrown, { peer, called })))
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
export function daemonOnward(share: Share, daemon: DaemonProcess): Onward {
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
      let peer: Peer | undefined
      const answer = await share
        .call(named, context, (call) => {
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
          peer = daemon.peer(first.name)
          return peer.call(BATCH, batch, { timeoutMs: LONG_MS, idempotent })
        })
        .catch(async (thrown: unknown) => Promise.reject(await daemon.broken(thrown, { peer, called: named })))
      return readBatchAnswer(answer, handed.length)
    },
  }
}
