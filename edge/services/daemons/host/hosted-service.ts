/**
 * A lab builder's service in its daemon: its objects, and what is asked of them.
 *
 * INVARIANTS: no member of an object is reached but those of the contract; whatever it throws or returns is an answer or a
 * typed error; an object is closed once, when nobody can reach it any more.
 */
import { inspect } from 'node:util'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { checkedResult } from '@fernlab/shared/rpc/contract/serve-service'
import { isRecord } from '@fernlab/shared/rpc/errors'
import { methodUnknown } from '@fernlab/shared/rpc/peer/peer'
import { type CallContext, isAsyncIterable, isThenable } from '@fernlab/shared/rpc/peer/serving'
import type { ServiceToLoad } from '../host-messages.ts'
import { createEvents } from './events.ts'
import { type LoadedService, requireActions, wrong } from './load-service.ts'
import { guardedStream, serviceFailed } from './service-failed.ts'

interface Instance {
  readonly object: Record<string, unknown>
  close(): Promise<void>
}

export interface HostedService {
  /** Does what the node asks: see {@link HostedMember}. */
  do(member: string, params: Readonly<Record<string, unknown>>, context: CallContext): unknown
  /** Does an action without items, and checks what it gives. */
  doChecked(params: Readonly<Record<string, unknown>>, args: unknown, context: CallContext): unknown
  endSession(session: string): Promise<void>
  close(): Promise<void>
}

/** Makes the object that all share, if there is one; rejects with why it can't be made. */
export async function hostService(loaded: LoadedService, asked: ServiceToLoad): Promise<HostedService> {
  const { contract, make, prototype } = loaded
  const { name, file, instances: mode } = asked
  const events = createEvents()
  const sessions = new Map<string, Promise<Instance>>()
  if (prototype !== undefined) requireActions(contract, prototype, file)
  const emit = (event: string, value: unknown) => {
    if (!Object.hasOwn(contract.events, event)) throw wrong(`${name} has no event ${event} in its contract`)
    events.emit({ event, value, time: Date.now() / 1000 })
  }

  const create = async (): Promise<Instance> => {
    const listeners: (() => unknown)[] = []
    const close = async () => {
      for (const listener of listeners.splice(0).reverse()) {
        try {
          await listener()
        } catch (thrown) {
          process.stderr.write(`${name} closes wrongly: ${inspect(thrown)}\n`)
        }
      }
    }
    try {
      const { parameters, folder } = asked
      const object = await make({
        name,
        parameters,
        folder,
        emit,
        onClose: (listener) => void listeners.push(listener),
      })
      if (typeof object !== 'object' || object === null) throw wrong(`${file}: what it exports makes no object`)
      requireActions(contract, object, file)
      return { object: object as Record<string, unknown>, close }
    } catch (thrown) {
      await close()
      throw serviceFailed(name, thrown)
    }
  }
  const single = mode === 'single' ? await create() : undefined

  const instanceFor = (params: Readonly<Record<string, unknown>>): Instance | Promise<Instance> => {
    if (single !== undefined) return single
    const { session } = params
    if (mode === 'percall') return create()
    if (typeof session !== 'string')
      throw wrong(`${name} has an object for each connection, and this call came by none`)
    const known = sessions.get(session) ?? create()
    sessions.set(session, known)
    // The next call tries again.
    known.catch(() => sessions.delete(session))
    return known
  }

  /** Does the work with an object, and closes that after it where it is for one call. */
  const withInstance = (params: Readonly<Record<string, unknown>>, work: (instance: Instance) => unknown): unknown => {
    if (single === undefined) return withOwn(params, work)
    const result = work(single)
    if (isThenable(result)) return result.then((given) => guarded(given))
    return guarded(result)
  }
  const guarded = (result: unknown, done = async () => {}) =>
    isAsyncIterable(result) ? guardedStream(name, result, done) : result
  const withOwn = async (params: Readonly<Record<string, unknown>>, work: (instance: Instance) => unknown) => {
    const instance = await instanceFor(params)
    const done = mode === 'percall' ? () => instance.close() : async () => {}
    let result: unknown
    try {
      result = await work(instance)
    } catch (thrown) {
      await done()
      throw thrown
    }
    if (isAsyncIterable(result)) return guarded(result, done)
    await done()
    return result
  }

  const checked = (action: string, value: unknown) => {
    const spec = contract.actions[action]?.result
    return checkedResult({ spec, value, method: `${name}/${action}`, contract }, () => true)
  }
  const act = (params: Readonly<Record<string, unknown>>, args: unknown, context: CallContext) => {
    const action = String(params.action)
    if (!Object.hasOwn(contract.actions, action)) throw methodUnknown(`${name}/${action}`)
    const givesItems = contract.actions[action]?.items !== undefined
    const failed = (thrown: unknown) => serviceFailed(`${name}/${action}`, thrown)
    return withInstance(params, ({ object }) => {
      try {
        const method = object[action] as (args: unknown, context: CallContext) => unknown
        const given = method.call(object, args, new OwnContext(context))
        if (!isThenable(given)) return givesItems ? asStream(given) : given
        return Promise.resolve(given)
          .then((result) => (givesItems ? asStream(result) : result))
          .catch((thrown) => Promise.reject(failed(thrown)))
      } catch (thrown) {
        throw failed(thrown)
      }
    })
  }
  const read = ({ signals, ...params }: Readonly<Record<string, unknown>>) =>
    withInstance(params, async ({ object }) => {
      const readings: Record<string, { value: unknown; time: number }> = {}
      for (const signal of signals as string[]) {
        if (!Object.hasOwn(contract.signals, signal)) throw methodUnknown(`${name}/${signal}`)
        try {
          const member = object[signal]
          const value: unknown = await (typeof member === 'function' ? member.call(object) : member)
          readings[signal] = { value, time: Date.now() / 1000 }
        } catch (thrown) {
          throw serviceFailed(`${name}/${signal}`, thrown)
        }
      }
      return readings
    })
  const set = ({ signal, value, ...params }: Readonly<Record<string, unknown>>) =>
    withInstance(params, async ({ object }) => {
      const known = String(signal)
      if (!Object.hasOwn(contract.signals, known)) throw methodUnknown(`${name}/${known}`)
      try {
        const setter = object[`set${known.charAt(0).toUpperCase()}${known.slice(1)}`]
        if (typeof setter === 'function') await setter.call(object, value)
        else object[known] = value
        return null
      } catch (thrown) {
        throw serviceFailed(`${name}/${known}`, thrown)
      }
    })

  return {
    do: (member, params, context) => {
      if (member === 'call') return act(params, params.args, context)
      if (member === 'read') return read(params)
      if (member === 'set') return set(params)
      if (member === 'events') return events.follow(params.names as string[], context.signal)
      throw methodUnknown(`${name}/${member}`)
    },
    doChecked: (params, args, context) => {
      const result = act(params, args, context)
      const action = String(params.action)
      return isThenable(result) ? result.then((value) => checked(action, value)) : checked(action, result)
    },
    endSession: async (session) => {
      const known = sessions.get(session)
      sessions.delete(session)
      // One that could not be made has closed what there was.
      await known?.then(
        (instance) => instance.close(),
        () => {},
      )
    },
    close: async () => {
      const all = [...sessions.values()]
      sessions.clear()
      const made = await Promise.allSettled(all)
      await Promise.all([
        single?.close(),
        ...made.map((instance) => (instance.status === 'fulfilled' ? instance.value.close() : undefined)),
      ])
    },
  }
}

/** What a service sees of its call. */
class OwnContext implements CallContext {
  readonly #call: CallContext

  constructor(call: CallContext) {
    this.#call = call
  }

  // Made when it is asked for, which most services never do.
  get signal(): AbortSignal {
    return this.#call.signal
  }

  get wantsStream(): boolean {
    return this.#call.wantsStream
  }
}

/** What an action gives item by item, in whichever way it does. */
function asStream(given: unknown): AsyncIterable<unknown> {
  if (isAsyncIterable(given)) return given
  if (isRecord(given) && typeof (given as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function') {
    return (async function* () {
      yield* given as unknown as Iterable<unknown>
    })()
  }
  throw new LabError({
    code: 'result-invalid',
    kind: 'bug',
    message: 'its contract says that it gives items, and it gave none: make it an async generator',
  })
}
