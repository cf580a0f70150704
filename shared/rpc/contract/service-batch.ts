/** Several calls of services in one message, done one after another; typed by their contracts. */
import { LabError } from '../../primitives/lab-error.ts'
import type { BatchCall, BatchOutcome } from '../peer/batch.ts'
import type { BatchOptions } from '../peer/peer.ts'
import { members } from './members.ts'
import type { AnswersNothing, ServiceContract } from './service-contract.ts'
import { typedBy } from './typed-lists.ts'
import type { GivenArgumentsOf, ValueOf } from './value-spec.ts'

export type SignalName<Contract extends ServiceContract> = keyof Contract['signals'] & string

/** Each signal that was read, with the time of reading in epoch seconds, UTC. */
export type Readings = Readonly<Record<string, { readonly value: unknown; readonly time: number }>>

/**
 * What became of one call of a batch; `skipped` when an earlier one failed and the batch was to stop there, or when the
 * answers before it fill a message.
 */
export type Outcome<Result = unknown> =
  | { readonly result: Result }
  | { readonly error: LabError }
  | { readonly skipped: true }

/** A call of a batch: an action that gives no items, or signals that are read or one that is set. */
export type CallOf<Contract extends ServiceContract> =
  | {
      [Name in keyof Contract['actions'] & string]: Contract['actions'][Name] extends { readonly items: unknown }
        ? never
        : readonly [action: Name, args: GivenArgumentsOf<Contract['actions'][Name]['arguments']>]
    }[keyof Contract['actions'] & string]
  | readonly [member: typeof members.read, args: { readonly signals: readonly SignalName<Contract>[] }]
  | readonly [member: typeof members.set, args: { readonly signal: SignalName<Contract>; readonly value: unknown }]

/** What such a call answers. */
export type ResultOf<Contract extends ServiceContract, Name> = Name extends typeof members.read
  ? Readings
  : Name extends typeof members.set
    ? null
    : Name extends keyof Contract['actions']
      ? Contract['actions'][Name] extends { readonly result: infer Result }
        ? ValueOf<Result>
        : AnswersNothing<Contract['actions'][Name]> extends true
          ? null
          : unknown
      : never

export type OutcomesOf<Contract extends ServiceContract, Calls extends readonly unknown[]> = {
  -readonly [At in keyof Calls]: Outcome<
    ResultOf<Contract, Calls[At] extends readonly [infer Name, ...unknown[]] ? Name : never>
  >
}

/** The result; throws the error, or `call-skipped`. */
export function resultOf<Result>(outcome: Outcome<Result>): Result {
  if ('result' in outcome) return outcome.result
  if ('error' in outcome) throw outcome.error
  throw new LabError({
    code: 'call-skipped',
    kind: 'caller',
    message: 'it was not called: an earlier call of the batch failed, or its answers filled a message',
  })
}

/** A call of one of several services. */
export interface ServiceCall {
  readonly service: string
  readonly contract: ServiceContract
  readonly call: readonly [member: string, args: unknown]
}

/**
 * Throws `call-invalid` where they are no list of calls of that form, whatever the compiler was told; `fits` looks at what
 * one begins with.
 */
export function requireCalls(calls: unknown, form: string, fits: (call: readonly unknown[]) => boolean): void {
  const wrong = (path: string, message: string) =>
    new LabError({ code: 'call-invalid', kind: 'caller', message: `${path} ${message}`, issues: [{ path, message }] })
  if (!Array.isArray(calls)) throw wrong('calls', `must be a list of ${form}`)
  const at = calls.findIndex((call) => !Array.isArray(call) || !fits(call))
  if (at >= 0) throw wrong(`calls[${at}]`, `must be ${form}`)
}

/** Has the calls done in order; nothing is sent, and `call-invalid` names the call, where one of them gives items. */
export async function batchOf(
  caller: { batch(calls: readonly BatchCall[], options?: BatchOptions): Promise<BatchOutcome[]> },
  calls: readonly ServiceCall[],
  options: BatchOptions = {},
): Promise<BatchOutcome[]> {
  const streams = calls.flatMap(({ contract, call: [member] }, at) =>
    isStream(contract, member) ? [{ path: `calls[${at}]`, message: `${member} gives items, which a batch can't` }] : [],
  )
  if (streams[0] !== undefined) {
    const { path, message } = streams[0]
    throw new LabError({ code: 'call-invalid', kind: 'caller', message: `${path}: ${message}`, issues: streams })
  }
  const idempotent = calls.every(({ contract, call: [member] }) => mayRepeat(contract, member))
  const typers = new Map<object, ReturnType<typeof typedBy>>()
  const typed = (contract: ServiceContract, member: string, args: unknown, at: number): unknown => {
    const specs = actionOf(contract, member)?.arguments
    if (specs === undefined) return args
    if (!typers.has(specs)) typers.set(specs, typedBy(specs))
    return typers.get(specs)?.(args, `calls[${at}].`) ?? args
  }
  const sent = calls.map(
    ({ service, contract, call: [member, args] }, at) =>
      [`${service}/${member}`, typed(contract, member, args, at)] as const,
  )
  return await caller.batch(sent, idempotent ? { ...options, idempotent } : options)
}

const actionOf = ({ actions }: ServiceContract, member: string) =>
  Object.hasOwn(actions, member) ? actions[member] : undefined

const isStream = (contract: ServiceContract, member: string): boolean =>
  member === members.follow || member === members.events || actionOf(contract, member)?.items !== undefined

const mayRepeat = (contract: ServiceContract, member: string): boolean =>
  member === members.read || member === members.contract || actionOf(contract, member)?.idempotent === true
