/** A service as an object of TypeScript: its actions are methods, typed by its contract. */
import type { CallOptions } from '../peer/calls.ts'
import type { BatchOptions, Peer, StreamOptions } from '../peer/peer.ts'
import { members } from './members.ts'
import { batchOf, type CallOf, type OutcomesOf, type Readings, requireCalls, type SignalName } from './service-batch.ts'
import type { ActionContract, AnswersNothing, ServiceContract } from './service-contract.ts'
import { typedBy } from './typed-lists.ts'
import type { GivenArgumentsOf, ValueOf } from './value-spec.ts'

/** What a proxy calls by: a peer, or whatever chooses between several links. */
export type Caller = Pick<Peer, 'call' | 'stream' | 'batch'>

/** Of an action that is known only when the program runs: an answer, or what it gives item by item. */
type Unknown = Promise<unknown> | AsyncIterableIterator<unknown>

type ActionOf<Action> = Action extends { readonly arguments: infer Args; readonly items: infer Items }
  ? (args: GivenArgumentsOf<Args>, options?: StreamOptions) => AsyncIterableIterator<ValueOf<Items>>
  : Action extends { readonly arguments: infer Args; readonly result: infer Result }
    ? (args: GivenArgumentsOf<Args>, options?: CallOptions) => Promise<ValueOf<Result>>
    : Action extends { readonly arguments: infer Args }
      ? AnswersNothing<Action> extends true
        ? (args: GivenArgumentsOf<Args>, options?: CallOptions) => Promise<null>
        : (args: GivenArgumentsOf<Args>, options?: StreamOptions) => Unknown
      : never

export type ActionsOf<Contract extends ServiceContract> = {
  readonly [Name in keyof Contract['actions']]: ActionOf<Contract['actions'][Name]>
}

export interface Proxy<Contract extends ServiceContract> {
  /** Each action by its name. */
  readonly do: ActionsOf<Contract>
  /** Reading changes nothing, so that it may be repeated when a link breaks. */
  read(signals: readonly SignalName<Contract>[], options?: CallOptions): Promise<Readings>
  /** A number is in the unit of the signal; `'1500 mV'` and `{ value: 1500, unit: 'mV' }` are converted to it. */
  set(signal: SignalName<Contract>, value: unknown, options?: CallOptions): Promise<void>
  /**
   * Readings by signal, `rateHz` times a second; whoever has the bench of an instrument that samples by itself gets its
   * samples instead, many in one item: `{time, columns}`, arrays of float64 of one length, times in epoch seconds.
   */
  follow(
    signals: readonly SignalName<Contract>[],
    options?: StreamOptions & { readonly rateHz?: number },
  ): AsyncIterableIterator<unknown>
  events(names: readonly (keyof Contract['events'] & string)[], options?: StreamOptions): AsyncIterableIterator<unknown>
  /**
   * Actions, each `[name, arguments]`, and `['signals.read', { signals }]`, `['signals.set', { signal, value }]`, one after
   * another in one message; `stop`: none after the first error. Rejects where not even one is known to have been done.
   */
  batch<const Calls extends readonly CallOf<Contract>[]>(
    calls: Calls,
    options?: BatchOptions,
  ): Promise<OutcomesOf<Contract, Calls>>
}

/** Sends nothing until it is called. */
export function createProxy<const Contract extends ServiceContract>(
  caller: Caller,
  service: string,
  contract: Contract,
): Proxy<Contract> {
  const actions = Object.entries<ActionContract>(contract.actions).map(
    ([name, { arguments: specs, items, idempotent = false }]) => {
      const method = `${service}/${name}`
      const typed = typedBy(specs) ?? ((args: unknown) => args)
      const streamed = (args: unknown, options?: StreamOptions) => {
        try {
          return caller.stream(method, typed(args), options)
        } catch (thrown) {
          return refusedStream(thrown)
        }
      }
      const called = async (args: unknown, options?: CallOptions) =>
        caller.call(method, typed(args), idempotent ? { ...options, idempotent } : options)
      return [name, items === undefined ? called : streamed] as const
    },
  )
  return {
    do: Object.fromEntries(actions) as unknown as ActionsOf<Contract>,
    read: (signals, options) =>
      caller.call(`${service}/${members.read}`, { signals }, { ...options, idempotent: true }) as ReturnType<
        Proxy<Contract>['read']
      >,
    set: async (signal, value, options) =>
      void (await caller.call(`${service}/${members.set}`, { signal, value }, options)),
    follow: (signals, { rateHz, ...options } = {}) =>
      caller.stream(`${service}/${members.follow}`, rateHz === undefined ? { signals } : { signals, rateHz }, options),
    events: (events, options) => caller.stream(`${service}/${members.events}`, { events }, options),
    batch: async (calls, options) => {
      requireCalls(calls, "['action', { argument: 1 }]", ([action]) => typeof action === 'string')
      const all = (calls as readonly (readonly [string, unknown])[]).map((call) => ({ service, contract, call }))
      return (await batchOf(caller, all, options)) as never
    },
  }
}

/** Rejects its first item, as what the other end refuses does. */
function refusedStream(thrown: unknown): AsyncIterableIterator<never> {
  let isTold = false
  return {
    next: async () => {
      if (isTold) return { done: true, value: undefined }
      isTold = true
      throw thrown
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
