/** The form of a protocol file, as a person writes it; `parseProtocol` turns it into the form that machines use. */
import * as z from 'zod'
import {
  identifierSchema,
  parameterSpecSchema,
  partRequirementSchema,
  textSchema,
  unitSchema,
} from '../capabilities/signals.ts'
import { nameSchema } from './common.ts'
import { signalKeySchema } from './lab-file.ts'

const expression = z.string().min(1).max(1000)
const quantity = z.strictObject({
  value: z.union([z.number(), expression], { error: 'must be a number or an expression' }),
  unit: unitSchema.exactOptional(),
})

const amount = z.union([z.number(), expression, quantity], {
  error: (issue) =>
    issue.input === undefined
      ? 'is missing'
      : 'must be a number, an expression, a quantity such as "5 mA" or {value, unit}',
})
const value = z.union([z.number(), z.boolean(), expression, quantity, z.strictObject({ text: z.string().max(1000) })], {
  error: (issue) =>
    issue.input === undefined
      ? 'is missing'
      : 'must be a number, true or false, an expression, a quantity such as "5 mA", {value, unit} or {text}',
})
const stream = nameSchema
const signals = z.array(signalKeySchema).min(1).max(64)

/** The bodies of the steps; `step` is the schema of the steps within them. */
function stepBodies<Step extends z.ZodType>(step: Step) {
  const steps = z.array(step).min(1).max(10_000)
  return {
    set: z.record(signalKeySchema, value),
    ramp: z.strictObject({
      signal: signalKeySchema,
      from: amount.exactOptional(),
      to: amount,
      rate: amount.exactOptional(),
      over: amount.exactOptional(),
    }),
    wait: amount,
    read: z.strictObject({
      signals,
      stream: stream.exactOptional(),
      derive: z
        .record(
          identifierSchema,
          z.strictObject({ value: expression, unit: unitSchema, title: textSchema.exactOptional() }),
        )
        .exactOptional(),
    }),
    record: z.strictObject({
      signals,
      rate: amount,
      stream,
      for: amount.exactOptional(),
      steps: steps.exactOptional(),
    }),
    sweep: z.strictObject({
      variable: identifierSchema,
      unit: unitSchema.exactOptional(),
      from: amount.exactOptional(),
      to: amount.exactOptional(),
      points: amount.exactOptional(),
      spacing: z.enum(['linear', 'logarithmic']).exactOptional(),
      values: z.array(amount).min(1).max(100_000).exactOptional(),
      steps,
    }),
    repeat: z.strictObject({ times: amount, variable: identifierSchema.exactOptional(), steps }),
    until: z.strictObject({
      condition: expression,
      within: amount,
      every: amount.exactOptional(),
      otherwise: z.enum(['fail', 'continue']).exactOptional(),
      steps,
    }),
    parallel: z.array(steps).min(1).max(64),
    call: z.strictObject({
      action: signalKeySchema,
      arguments: z.record(identifierSchema, value).exactOptional(),
      within: amount.exactOptional(),
    }),
    assert: z.strictObject({ condition: expression, message: textSchema }),
  }
}

/** The body of each kind of step, with the steps inside it left unchecked. */
export const stepBodySchemas = stepBodies(z.unknown())
export type StepKind = keyof typeof stepBodySchemas
export type StepBody<Kind extends StepKind> = z.output<(typeof stepBodySchemas)[Kind]>

const reading = z.strictObject({
  stream: stream.exactOptional(),
  signal: z.string().min(1).max(200),
  which: z.enum(['last', 'first']).exactOptional(),
})
const statistic = z.strictObject({
  stream: stream.exactOptional(),
  signal: expression,
  kind: z.enum(['mean', 'std', 'min', 'max', 'sum', 'count', 'crossing-rate', 'last']),
  threshold: amount.exactOptional(),
  where: expression.exactOptional(),
})
const fit = z.strictObject({
  model: z.enum(['linear', 'exponential', 'sine']),
  stream: stream.exactOptional(),
  x: expression,
  y: expression,
  where: expression.exactOptional(),
  value: expression,
})

const output = z.strictObject({
  title: textSchema,
  unit: unitSchema,
  reading: reading.exactOptional(),
  statistic: statistic.exactOptional(),
  fit: fit.exactOptional(),
})

const plot = z.strictObject({
  title: textSchema,
  stream: stream.exactOptional(),
  x: z.string().max(200).exactOptional(),
  y: z.array(z.string().max(200)).min(1).max(16),
  kind: z.enum(['line', 'scatter']).exactOptional(),
  xScale: z.enum(['linear', 'log']).exactOptional(),
  yScale: z.enum(['linear', 'log']).exactOptional(),
  fit: z.string().exactOptional(),
})

function protocolFile<Step extends z.ZodType>(step: Step) {
  return z.strictObject({
    title: textSchema,
    summary: textSchema.exactOptional(),
    version: z.int().min(1),
    restart: z.enum(['safe', 'never']).exactOptional(),
    parameters: z.record(identifierSchema, parameterSpecSchema).exactOptional(),
    parts: z.record(identifierSchema, partRequirementSchema).exactOptional(),
    steps: z.array(step).min(1).max(10_000),
    outputs: z.record(identifierSchema, output).exactOptional(),
    plots: z.array(plot).max(64).exactOptional(),
  })
}

/** A protocol file with its steps left unchecked: they are walked one by one, for better messages. */
export const protocolFileShape = protocolFile(z.unknown())
export type ProtocolFile = z.output<typeof protocolFileShape>

/** A protocol file in full, for JSON Schema. */
export function protocolFileSchemaZod(): z.ZodType {
  const step: z.ZodType = z.lazy(() =>
    z.union(
      Object.entries(stepBodies(step)).map(([kind, body]) =>
        z.strictObject({ [kind]: body, label: z.string().max(200).exactOptional() }),
      ),
    ),
  )
  return protocolFile(step.meta({ id: 'Step' }))
}
