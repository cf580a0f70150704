/** The schema of a parsed protocol, for who receives one as data: a node checks what the hub sends. */
import * as z from 'zod'
import {
  parameterSpecSchema,
  partRequirementSchema,
  signalKeySchema,
  textSchema,
  unitSchema,
} from '../capabilities/signals.ts'
import type { Protocol, Step } from './protocol.ts'

const expression = z.string().min(1).max(1000)
const name = z.string().min(1).max(200)
const quantity = z.strictObject({ value: z.union([z.number(), expression]), unit: unitSchema.exactOptional() })
const amount = z.union([z.number(), quantity])
const value = z.union([amount, z.boolean(), z.strictObject({ text: z.string().max(1000) })])
const label = z.string().max(200).exactOptional()
const signals = z.array(signalKeySchema).min(1).max(64)
const range = z.strictObject({ from: amount, to: amount, points: amount, spacing: z.enum(['linear', 'logarithmic']) })

const step: z.ZodType<Step> = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('set'), label, values: z.record(signalKeySchema, value) }),
    z.strictObject({
      kind: z.literal('ramp'),
      label,
      signal: signalKeySchema,
      from: amount.exactOptional(),
      to: amount,
      rate: amount.exactOptional(),
      over: amount.exactOptional(),
    }),
    z.strictObject({ kind: z.literal('wait'), label, duration: amount }),
    z.strictObject({
      kind: z.literal('read'),
      label,
      signals,
      stream: name,
      derive: z.record(
        name,
        z.strictObject({ value: expression, unit: unitSchema, title: textSchema.exactOptional() }),
      ),
    }),
    z.strictObject({
      kind: z.literal('record'),
      label,
      signals,
      rate: amount,
      stream: name,
      for: amount.exactOptional(),
      steps: steps.exactOptional(),
    }),
    z.strictObject({
      kind: z.literal('sweep'),
      label,
      variable: name,
      unit: unitSchema.exactOptional(),
      over: z.union([range, z.strictObject({ values: z.array(amount).min(1).max(100_000) })]),
      steps,
    }),
    z.strictObject({ kind: z.literal('repeat'), label, times: amount, variable: name.exactOptional(), steps }),
    z.strictObject({
      kind: z.literal('until'),
      label,
      condition: expression,
      within: amount,
      every: amount.exactOptional(),
      otherwise: z.enum(['fail', 'continue']),
      steps,
    }),
    z.strictObject({ kind: z.literal('parallel'), label, branches: z.array(steps).min(1).max(64) }),
    z.strictObject({
      kind: z.literal('call'),
      label,
      action: signalKeySchema,
      arguments: z.record(name, value),
      within: amount.exactOptional(),
    }),
    z.strictObject({ kind: z.literal('assert'), label, condition: expression, message: textSchema }),
    z.strictObject({
      kind: z.literal('live'),
      label,
      seconds: amount,
      idleS: z.number(),
      silenceS: z.number(),
      server: z
        .strictObject({
          part: name,
          experiment: z.string().exactOptional(),
          category: z.string().exactOptional(),
          data: z.record(z.string(), z.unknown()).exactOptional(),
        })
        .exactOptional(),
    }),
    z.strictObject({ kind: z.literal('dispose'), label, part: name }),
  ]),
)
const steps = z.array(step).min(1).max(10_000)

const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('reading'), stream: name, signal: name, which: z.enum(['last', 'first']) }),
  z.strictObject({
    kind: z.literal('statistic'),
    stream: name,
    signal: expression,
    statistic: z.enum(['mean', 'std', 'min', 'max', 'sum', 'count', 'crossing-rate', 'last']),
    threshold: amount.exactOptional(),
    where: expression.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('fit'),
    model: z.enum(['linear', 'exponential', 'sine']),
    stream: name,
    x: expression,
    y: expression,
    where: expression.exactOptional(),
    value: expression,
  }),
])

const plot = z.strictObject({
  title: textSchema,
  stream: name,
  x: name,
  y: z.array(name).min(1).max(16),
  kind: z.enum(['line', 'scatter']),
  xScale: z.enum(['linear', 'log']),
  yScale: z.enum(['linear', 'log']),
  fit: name.exactOptional(),
})

/** A parsed protocol in form; `checkProtocol` looks at its meaning. */
export const protocolSchema: z.ZodType<Protocol> = z.strictObject({
  title: textSchema,
  summary: textSchema.exactOptional(),
  version: z.int().min(1),
  restart: z.enum(['safe', 'never']),
  parameters: z.record(name, parameterSpecSchema),
  parts: z.record(name, partRequirementSchema).exactOptional(),
  steps,
  cleanUp: steps.exactOptional(),
  outputs: z.record(name, z.strictObject({ title: textSchema, unit: unitSchema, from: source })),
  plots: z.array(plot).max(64),
})
