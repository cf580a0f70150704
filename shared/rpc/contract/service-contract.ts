/**
 * What a service can do. An instrument's description is one already: its actions and signals are taken as they are.
 *
 * On a link: an action is `<service>/<action>`; what begins otherwise has a dot, which no action has in its name:
 * `<service>/signals.read {signals}`, `signals.set {signal, value}`, `signals.follow {signals, rateHz}` (a stream),
 * `events.follow {events}` (a stream), `contract.get`.
 */
import * as z from 'zod'
import { type InstrumentSpec, identifierSchema, type SignalSpec, signalSpecSchema } from '../../capabilities/signals.ts'
import { type ValueSpec, valueSpecSchema } from './value-spec.ts'

export interface ActionContract {
  readonly title?: string
  readonly description?: string
  readonly arguments: Readonly<Record<string, ValueSpec>>
  /** What it answers; nothing unless given. */
  readonly result?: ValueSpec
  /** What it gives item by item, instead of a result. */
  readonly items?: ValueSpec
  /** Doing it twice is as good as once, so that it may be repeated when a link breaks. */
  readonly idempotent?: boolean
  readonly typicalS?: number
}

/** Whether an action is known to answer nothing: of one that the program only meets when it runs, nobody knows. */
export type AnswersNothing<Action> = [keyof Action & ('result' | 'items')] extends [never] ? true : false

export interface EventContract {
  readonly title?: string
  readonly value: ValueSpec
}

export interface ServiceContract {
  /** Of what kind it is: `keysight-dsox1204g`, `fit-server`. */
  readonly kind: string
  /** Two numbers, `1.2`: the first changes with what would break a client. */
  readonly version: string
  readonly title?: string
  readonly actions: Readonly<Record<string, ActionContract>>
  readonly signals: Readonly<Record<string, Omit<SignalSpec, 'name'>>>
  readonly events: Readonly<Record<string, EventContract>>
}

const text = z.string().max(2000)

/** The schema of {@link ServiceContract}: what a client reads of a service that it meets. */
export const serviceContractSchema = z.object({
  kind: z.string().min(1).max(100),
  version: z.string().regex(/^\d{1,6}\.\d{1,6}$/, 'must be two numbers such as 1.0'),
  title: text.exactOptional(),
  actions: z.record(
    identifierSchema,
    z.object({
      title: text.exactOptional(),
      description: text.exactOptional(),
      arguments: z.record(identifierSchema, valueSpecSchema),
      result: valueSpecSchema.exactOptional(),
      items: valueSpecSchema.exactOptional(),
      idempotent: z.boolean().exactOptional(),
      typicalS: z.number().nonnegative().exactOptional(),
    }),
  ),
  signals: z.record(identifierSchema, signalSpecSchema.omit({ name: true })),
  events: z.record(identifierSchema, z.object({ title: text.exactOptional(), value: valueSpecSchema })),
}) satisfies z.ZodType<ServiceContract>

/** A contract as it was written, so that the types of its proxy are exact. */
export const defineService = <const Contract extends ServiceContract>(contract: Contract): Contract => contract

/** The contract of an instrument. */
export function instrumentContract({ driver, model, signals, actions }: InstrumentSpec): ServiceContract {
  return {
    kind: model === undefined ? driver : `${driver}/${model}`,
    version: '1.0',
    actions: Object.fromEntries(actions.map(({ name, ...action }) => [name, action])),
    signals: Object.fromEntries(signals.map(({ name, ...signal }) => [name, signal])),
    events: {},
  }
}
