/** What a program says of itself, and the spec that the node makes of it. */
import {
  type ActionSpec,
  type InstrumentSpec,
  identifierSchema,
  limitsSchema,
  numberSchemas,
  parameterSpecSchema,
  type SignalSpec,
  unitSchema,
} from '@fernlab/shared/capabilities/signals'
import { checkSchema, pathText } from '@fernlab/shared/contracts/yaml-file'
import { type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'

const title = z.string().max(200)

const signalSchema = z
  .strictObject({
    title: title.exactOptional(),
    unit: unitSchema.default('1'),
    dtype: z.enum(['number', 'integer', 'boolean', 'string']).default('number'),
    kind: z.enum(['reading', 'configuration']).exactOptional(),
    access: z.enum(['read', 'set', 'read-set']).default('read'),
    limits: limitsSchema.exactOptional(),
    values: z.array(z.string().max(200)).min(1).max(1000).exactOptional(),
    ...numberSchemas,
  })
  .refine(({ values, dtype }) => values === undefined || dtype === 'string', {
    error: 'is for signals of dtype string',
    path: ['values'],
  })

const actionSchema = z.strictObject({
  title: title.exactOptional(),
  arguments: z.record(identifierSchema, parameterSpecSchema).default({}),
  typicalS: z.number().nonnegative().exactOptional(),
})

const few = (most: number) => (record: object) => Object.keys(record).length <= most

/** The result of `describe`. */
const descriptionSchema = z.strictObject({
  /** The version of this interface that the program speaks. */
  fernlab: z.literal(1, { error: 'must be 1: the version of the interface' }),
  model: z.string().min(1).max(200).exactOptional(),
  signals: z.record(identifierSchema, signalSchema).default({}).refine(few(500), 'may be at most 500'),
  actions: z.record(identifierSchema, actionSchema).default({}).refine(few(200), 'may be at most 200'),
})

export interface Described {
  readonly spec?: InstrumentSpec
  readonly issues: readonly Issue[]
}

/** The spec of an instrument of that name; with issues, whose paths begin with `describe`, there is none. */
export function readDescription(name: string, driver: string, said: unknown): Described {
  const { value, findings } = checkSchema(said, descriptionSchema, ['describe'])
  if (value === undefined) {
    return { issues: findings.map(({ path, message }) => ({ path: pathText(path), message })) }
  }
  const signals = Object.entries(value.signals).map(
    ([signal, { kind, ...rest }]): SignalSpec => ({
      name: signal,
      shape: [],
      // What is only set is how the instrument stands, not what it measures.
      kind: kind ?? (rest.access === 'set' ? 'configuration' : 'reading'),
      ...rest,
    }),
  )
  const actions = Object.entries(value.actions).map(([action, rest]): ActionSpec => ({ name: action, ...rest }))
  const model = value.model === undefined ? {} : { model: value.model }
  return { spec: { name, driver, ...model, signals, actions }, issues: [] }
}

/** Whether two specs say the same. */
export const isSameSpec = (one: InstrumentSpec, other: InstrumentSpec): boolean =>
  JSON.stringify(one) === JSON.stringify(other)

/** The signal, for reading or setting; throws a caller-kind LabError. */
export function signalOf(spec: InstrumentSpec, name: string, use: 'read' | 'set'): SignalSpec {
  const signal = spec.signals.find((each) => each.name === name)
  if (signal === undefined) throw cannot('signal-unknown', `${spec.name} has no signal ${name}`)
  if (signal.access === 'read-set' || signal.access === use) return signal
  throw cannot(use === 'read' ? 'signal-not-readable' : 'signal-not-settable', `${spec.name}.${name} can not be ${use}`)
}

/** Throws a caller-kind LabError for an action that the instrument lacks. */
export function requireAction(spec: InstrumentSpec, name: string): void {
  if (spec.actions.some((each) => each.name === name)) return
  throw cannot('action-unknown', `${spec.name} has no action ${name}`)
}

function cannot(code: string, message: string): LabError {
  return new LabError({ code, kind: 'caller', message })
}
