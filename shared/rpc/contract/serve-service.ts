/**
 * A service by its contract: what comes is checked before it is done, what goes is checked before it is sent.
 *
 * INVARIANTS: nothing of a service runs for a call whose arguments are wrong; no member is reached but those of the contract.
 */
import type { SignalSpec } from '../../capabilities/signals.ts'
import { type Issue, LabError } from '../../primitives/lab-error.ts'
import { didYouMean } from '../../primitives/nearest.ts'
import type { PatternMatcher } from '../../protocol/parameter-values.ts'
import { isRecord } from '../errors.ts'
import type { HandedKind, Onward, OnwardMethod } from '../peer/handing-on.ts'
import { methodUnknown } from '../peer/peer.ts'
import { type CallContext, isAsyncIterable, isThenable, type Serve } from '../peer/serving.ts'
import { checkValue, isPlainly, withoutText } from './check-value.ts'
import { blockIssue, checkedItems, eventIssue, readingsIssue, signalIssue } from './given-values.ts'
import { inOwnUnit } from './in-own-unit.ts'
import { members, splitMethod } from './members.ts'
import type { ActionContract, ServiceContract } from './service-contract.ts'
import type { ValueSpec } from './value-spec.ts'

/** One value of a signal, as instruments give it. */
export interface ServedReading {
  readonly value: unknown
  /** Epoch seconds, UTC. */
  readonly time: number
}

export interface OnwardAction {
  readonly to: Onward
  readonly kind: HandedKind
}

/** What stands behind a contract. */
export interface Service {
  readonly contract: ServiceContract
  /** The process that does an action, where calls of a batch may go there together. */
  onward?(action: string): OnwardAction | undefined
  /** Does an action; arguments were checked, and have their defaults. */
  call(action: string, args: Readonly<Record<string, unknown>>, context: CallContext): unknown
  read?(signals: readonly string[], context: CallContext): Promise<Readonly<Record<string, ServedReading>>>
  set?(signal: string, value: unknown, context: CallContext): Promise<void>
  /** Readings by signal as {@link read} gives them, or what {@link gives} says. */
  follow?(signals: readonly string[], rateHz: number, context: CallContext): AsyncIterable<unknown>
  /**
   * What following these gives now; readings unless it says `blocks`: samples `{time, columns}` that hardware took by itself,
   * `time` and the column of each signal typed arrays of one length.
   */
  gives?(signals: readonly string[]): 'readings' | 'blocks'
  events?(names: readonly string[], context: CallContext): AsyncIterable<unknown>
}

/** How often signals are read for who follows them and names no rate. */
export const FOLLOW_HZ = 1
/** How often signals are read for a follower at most: more would leave others no time. */
const MOST_RATE_HZ = 100
/** The samples a second of hardware whose signals do not say how many they have. */
const MOST_SAMPLES_HZ = 1000
/** So many names stand in an error. */
const MOST_NAMES = 20

/** The services of a process, by name. Throws `service-unknown`, `method-unknown`, `call-invalid`, or what a service throws. */
export function serveServices(find: (name: string) => Service | undefined, hasPattern: PatternMatcher): Serve {
  const serve = (method: string, params: unknown, context: CallContext) => {
    const split = splitMethod(method)
    if (split === undefined) throw methodUnknown(method)
    const service = find(split.service)
    if (service === undefined) {
      throw new LabError({
        code: 'service-unknown',
        kind: 'caller',
        message: `there is no service ${split.service} here`,
      })
    }
    return new Served(service, method, context, hasPattern).do(split.member, params ?? {})
  }
  const onward = (method: string): OnwardMethod | undefined => {
    const split = splitMethod(method)
    const service = split === undefined ? undefined : find(split.service)
    const action = split === undefined ? undefined : service?.contract.actions[split.member]
    const found = split === undefined ? undefined : service?.onward?.(split.member)
    if (service === undefined || action === undefined || found === undefined) return undefined
    const { to, kind } = found
    const served = new Served(service, method, noContext, hasPattern)
    const check = (value: unknown) => served.result(action.result, value)
    return { to, take: (params) => ({ kind, args: served.argumentsOf(action, params ?? {}), check }) }
  }
  return Object.assign(serve, { onward })
}

/** Nothing that is handed on is done here. */
const noContext: CallContext = { signal: new AbortController().signal, wantsStream: false }

class Served {
  readonly #service: Service
  readonly #method: string
  readonly #context: CallContext
  readonly #hasPattern: PatternMatcher

  constructor(service: Service, method: string, context: CallContext, hasPattern: PatternMatcher) {
    this.#service = service
    this.#method = method
    this.#context = context
    this.#hasPattern = hasPattern
  }

  do(member: string, params: unknown): unknown {
    const { contract } = this.#service
    this.#requireNamed(params)
    const action = Object.hasOwn(contract.actions, member) ? contract.actions[member] : undefined
    if (action !== undefined) return this.#act(member, action, params)
    if (member === members.contract) return contract
    if (member === members.read) return this.#read(this.#signalsOf(params.signals, 'read'))
    if (member === members.set) return this.#set(params)
    if (member === members.follow && this.#service.follow !== undefined) {
      const { rateHz = FOLLOW_HZ } = params
      const signals = this.#signalsOf(params.signals, 'read')
      const areBlocks = this.#service.gives?.(signals) === 'blocks'
      const mostRateHz = areBlocks ? this.#mostSamplesHz(signals) : MOST_RATE_HZ
      if (typeof rateHz !== 'number' || !(rateHz > 0 && rateHz <= mostRateHz)) {
        throw this.#invalid([{ path: 'rateHz', message: `must be a number above 0 and at most ${mostRateHz}` }])
      }
      const items = this.#service.follow(signals, rateHz, this.#context)
      return checkedItems(items, (item) =>
        areBlocks ? this.#requireBlock(signals, item) : this.#requireReadings(item),
      )
    }
    if (member === members.events && this.#service.events !== undefined) {
      const names = this.#names(params.events, 'events', contract.events)
      const items = this.#service.events(names, this.#context)
      return checkedItems(items, (item) => this.#requireEvent(names, item))
    }
    throw methodUnknown(this.#method)
  }

  #act(name: string, action: ActionContract, params: Readonly<Record<string, unknown>>): unknown {
    const result = this.#service.call(name, this.argumentsOf(action, params), this.#context)
    const { items } = action
    if (items !== undefined) {
      return isAsyncIterable(result) ? checkedItems(result, (item) => void this.result(items, item)) : result
    }
    if (isThenable(result)) return result.then((value) => this.result(action.result, value))
    return this.result(action.result, result)
  }

  /** Those of the action, with their defaults, amounts with a unit in its own. Throws `call-invalid`. */
  argumentsOf(action: ActionContract, params: unknown): Record<string, unknown> {
    this.#requireNamed(params)
    const issues: Issue[] = []
    const args: Record<string, unknown> = {}
    for (const argument in action.arguments) {
      const spec = action.arguments[argument] as ValueSpec
      const given = Object.hasOwn(params, argument) ? params[argument] : undefined
      const value = given === undefined && 'default' in spec ? spec.default : given
      if (value === undefined) issues.push({ path: argument, message: 'is missing' })
      args[argument] =
        value === undefined || isPlainly(spec, value) ? value : this.#taken(spec, value, argument, issues)
    }
    for (const argument in params) {
      // A word that was mistyped would silently not count.
      if (!Object.hasOwn(action.arguments, argument)) issues.push({ path: argument, message: 'is no argument of it' })
    }
    if (issues.length > 0) throw this.#invalid(issues)
    return args
  }

  /** The result as its caller gets it; throws `result-invalid`. */
  result(spec: ValueSpec | undefined, value: unknown): unknown {
    return checkedResult({ spec, value, method: this.#method, contract: this.#service.contract }, this.#hasPattern)
  }

  #requireNamed(params: unknown): asserts params is Record<string, unknown> {
    if (!isRecord(params) || ArrayBuffer.isView(params))
      throw this.#invalid([{ path: '', message: 'arguments are an object, by name' }])
  }

  #read(signals: readonly string[]): unknown {
    if (this.#service.read === undefined) throw methodUnknown(this.#method)
    return this.#service.read(signals, this.#context).then((readings) => {
      this.#requireReadings(readings)
      return readings
    })
  }

  #requireReadings(readings: unknown): void {
    const issue = readingsIssue(this.#service.contract.signals, readings)
    if (issue !== undefined) throw resultInvalid(this.#method, this.#service.contract, [issue])
  }

  #mostSamplesHz(signals: readonly string[]): number {
    const said = signals.map((name) => this.#service.contract.signals[name]?.maxRateHz ?? Number.POSITIVE_INFINITY)
    const least = Math.min(...said)
    return Number.isFinite(least) ? least : MOST_SAMPLES_HZ
  }

  #requireBlock(signals: readonly string[], block: unknown): void {
    const issue = blockIssue(this.#service.contract.signals, signals, block)
    if (issue !== undefined) throw resultInvalid(this.#method, this.#service.contract, [issue])
  }

  #requireEvent(asked: readonly string[], item: unknown): void {
    const issue = eventIssue(asked, item)
    if (issue !== undefined) throw resultInvalid(this.#method, this.#service.contract, [issue])
    const { event, value } = item as { readonly event: string; readonly value?: unknown }
    this.result(this.#service.contract.events[event]?.value, value)
  }

  #set({ signal, value: given }: Readonly<Record<string, unknown>>): unknown {
    if (typeof signal !== 'string') throw this.#invalid([{ path: 'signal', message: 'must be the name of a signal' }])
    const [name] = this.#signalsOf([signal], 'set', 'signal')
    const spec = name === undefined ? undefined : this.#service.contract.signals[name]
    if (this.#service.set === undefined || name === undefined || spec === undefined) throw methodUnknown(this.#method)
    const issues: Issue[] = []
    const own = inOwnUnit(spec, given)
    if ('issue' in own) throw this.#invalid([{ path: name, message: own.issue }])
    const { value } = own
    const wrongArray = spec.dtype === 'array' ? signalIssue(spec, value) : undefined
    if (wrongArray !== undefined) issues.push({ path: name, message: wrongArray })
    else this.#check(settable(spec), value, name, issues)
    if (issues.length > 0) throw this.#invalid(issues)
    return this.#service.set(name, value, this.#context)
  }

  #signalsOf(value: unknown, access: 'read' | 'set', path?: string): string[] {
    const { signals } = this.#service.contract
    const names = this.#names(value, 'signals', signals, path)
    const not = names.find((name) => ![access, 'read-set'].includes(signals[name]?.access ?? ''))
    if (not !== undefined) throw this.#invalid([{ path: not, message: `can not be ${access}` }])
    return names
  }

  /** Those of `known`, which are `signals` or `events` of it; the path is that of the list unless given as that of its one name. */
  #names(
    value: unknown,
    what: 'signals' | 'events',
    known: Readonly<Record<string, unknown>>,
    path?: string,
  ): string[] {
    if (!Array.isArray(value) || value.length === 0) {
      throw this.#invalid([
        { path: what, message: `must be a list of at least one${thereAre(what, Object.keys(known))}` },
      ])
    }
    const unknown = value.findIndex((name) => typeof name !== 'string' || !Object.hasOwn(known, name))
    if (unknown < 0) return value as string[]
    const message = strangerOf(value[unknown], what, Object.keys(known))
    throw this.#invalid([{ path: path ?? `${what}[${unknown}]`, message }])
  }

  /** The argument as the service gets it, or as it was given where something is wrong with it. */
  #taken(spec: ValueSpec, given: unknown, path: string, issues: Issue[]): unknown {
    const unit = 'unit' in spec && spec.unit !== undefined ? spec.unit : '1'
    const own = inOwnUnit({ dtype: spec.type, unit }, given)
    if ('issue' in own) {
      issues.push({ path, message: own.issue })
      return given
    }
    this.#check(spec, own.value, path, issues)
    return own.value
  }

  #check(spec: ValueSpec, value: unknown, path: string, issues: Issue[]): void {
    checkValue(spec, value, path, { issues, hasPattern: this.#hasPattern })
  }

  #invalid(issues: Issue[]): LabError {
    const message = `${this.#method} (${this.#service.contract.kind} ${this.#service.contract.version}): ${worded(issues)}`
    return new LabError({ code: 'call-invalid', kind: 'caller', message, issues })
  }
}

/** What is said of a name that is none of these. */
function strangerOf(name: unknown, what: 'signals' | 'events', known: readonly string[]): string {
  if (typeof name !== 'string') return 'must be a name'
  const near = didYouMean(name, known)
  const rest = near === '' ? thereAre(what, known) : near
  return `is ${JSON.stringify(name.slice(0, 64))}, which is none of its ${what}${rest}`
}

function thereAre(what: 'signals' | 'events', known: readonly string[]): string {
  const shown = known.length > MOST_NAMES ? [...known.slice(0, MOST_NAMES), '…'] : known
  return known.length === 0 ? `; it has no ${what}` : `; it has ${shown.join(', ')}`
}

interface GivenResult {
  readonly spec: ValueSpec | undefined
  readonly value: unknown
  readonly method: string
  readonly contract: Pick<ServiceContract, 'version'>
}

/** The result as its caller gets it; throws `result-invalid` where it is not what the contract says. */
export function checkedResult({ spec, value, method, contract }: GivenResult, hasPattern: PatternMatcher): unknown {
  if (spec === undefined) return null
  if (isPlainly(spec, value)) return value
  const issues: Issue[] = []
  checkValue(spec, value, 'result', { issues, hasPattern, inWords: withoutText })
  if (issues.length === 0) return value
  throw resultInvalid(method, contract, issues)
}

const resultInvalid = (method: string, { version }: Pick<ServiceContract, 'version'>, issues: Issue[]) =>
  new LabError({
    code: 'result-invalid',
    kind: 'bug',
    message: `${method} answered what its contract (${version}) does not say: ${worded(issues)}`,
    issues,
  })

/** What a signal takes, as the spec of a value. */
function settable({ dtype, unit, limits, values }: Omit<SignalSpec, 'name'>): ValueSpec {
  if (dtype === 'array') return { type: 'any' }
  return {
    type: dtype,
    unit,
    ...(limits?.low === undefined ? {} : { minimum: limits.low }),
    ...(limits?.high === undefined ? {} : { maximum: limits.high }),
    ...(values === undefined ? {} : { enum: values }),
  }
}

const worded = (issues: readonly Issue[]): string =>
  issues.map(({ path, message }) => `${path} ${message}`.trim()).join('; ')
