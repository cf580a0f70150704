/** The form of a protocol file, as a person writes it; `parseProtocol` turns it into the form that machines use. */
import * as z from 'zod'
import {
  identifierSchema,
  parameterSpecSchema,
  partRequirementSchema,
  signalKeySchema,
  textSchema,
  unitSchema,
} from '../capabilities/signals.ts'
import { nameSchema } from './common.ts'

const expression = z.string().min(1).max(1000)
const quantity = z.strictObject({
  value: z
    .union([z.number(), expression], { error: 'must be a number or an expression' })
    .describe('A number or an expression, in this unit.'),
  unit: unitSchema.describe('In UCUM spelling: V, mA, Ohm, uF, Hz, Cel, s.').exactOptional(),
})

const amount = z.union([z.number(), expression, quantity], {
  error: (issue) =>
    issue.input === undefined
      ? 'is missing'
      : 'must be a number, an expression, a quantity such as "5 mA" or {value, unit}',
})
const text = z.strictObject({ text: z.string().max(1000).describe('For a signal that holds text.') })
const value = z.union([z.number(), z.boolean(), expression, quantity, text], {
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
    set: z.record(signalKeySchema, value).describe("Sets signals: part.signal and its value, in the signal's unit."),
    ramp: z
      .strictObject({
        signal: signalKeySchema.describe('The signal, as part.signal.'),
        from: amount.describe("Where it begins, in the signal's unit. Default: where the signal is.").exactOptional(),
        to: amount.describe("Where it ends, in the signal's unit."),
        rate: amount.describe("How fast, in the signal's unit per second; this or over.").exactOptional(),
        over: amount.describe('How long it takes, in seconds; this or rate.').exactOptional(),
      })
      .describe('Moves a signal steadily, over so many seconds or at so much per second.'),
    wait: amount.describe('Waits, in seconds.'),
    read: z
      .strictObject({
        signals: signals.describe('The signals to read, each as part.signal.'),
        stream: stream.describe('The table that the row goes into. Default: primary.').exactOptional(),
        derive: z
          .record(
            identifierSchema,
            z.strictObject({
              value: expression.describe('An expression over what was read, loop variables and parameters.'),
              unit: unitSchema.describe('The unit of the value, in UCUM spelling.'),
              title: textSchema.describe('What people call it.').exactOptional(),
            }),
          )
          .describe('Columns that are computed from the row, by name.')
          .exactOptional(),
      })
      .describe('Reads signals once: one row, with the loop variables and what is derived.'),
    record: z
      .strictObject({
        signals: signals.describe('The signals to sample, each as part.signal.'),
        rate: amount.describe('Samples per second, in Hz.'),
        stream: stream.describe('The table that the samples go into.'),
        for: amount.describe('How long, in seconds; with steps, until both have ended.').exactOptional(),
        steps: steps.describe('Samples while these steps run.').exactOptional(),
      })
      .describe('Samples signals at a rate, for a time or while its steps run.'),
    sweep: z
      .strictObject({
        variable: identifierSchema.describe('The name by which its steps see the value.'),
        unit: unitSchema.describe('The unit of the value, in UCUM spelling.').exactOptional(),
        from: amount.describe("The first value, in the variable's unit.").exactOptional(),
        to: amount.describe("The last value, in the variable's unit.").exactOptional(),
        points: amount.describe('How many values, both ends included.').exactOptional(),
        spacing: z.enum(['linear', 'logarithmic']).describe('Default: linear.').exactOptional(),
        values: z
          .array(amount)
          .min(1)
          .max(100_000)
          .describe("The values one by one, in the variable's unit, instead of from, to and points.")
          .exactOptional(),
        steps: steps.describe('What is done for each value.'),
      })
      .describe('Does its steps for each value of a range or a list; sweeps may be nested.'),
    repeat: z
      .strictObject({
        times: amount.describe('How many times.'),
        variable: identifierSchema.describe('A name for the turn, which counts from 0.').exactOptional(),
        steps: steps.describe('What is repeated.'),
      })
      .describe('Does its steps so many times.'),
    until: z
      .strictObject({
        condition: expression.describe('Ends the loop when it is true; looked at after the steps.'),
        within: amount.describe('The longest it may take, in seconds.'),
        every: amount.describe('Time between two turns, in seconds; 0.01 at least.').exactOptional(),
        otherwise: z
          .enum(['fail', 'continue'])
          .describe('What happens when the time is over: fail ends the run, continue goes on. Default: fail.')
          .exactOptional(),
        steps: steps.describe('What is done in each turn.'),
      })
      .describe('Repeats its steps until a condition holds, no longer than a given time.'),
    parallel: z.array(steps).min(1).max(64).describe('Lists of steps that run side by side.'),
    call: z
      .strictObject({
        action: signalKeySchema.describe('The action, as part.action.'),
        arguments: z
          .record(identifierSchema, value)
          .describe('Its arguments by name, in the units that the instrument declares.')
          .exactOptional(),
        within: amount.describe('The longest it may take, in seconds.').exactOptional(),
      })
      .describe('Calls an action of an instrument.'),
    assert: z
      .strictObject({
        condition: expression.describe('What must be true for the run to go on.'),
        message: textSchema.describe('What the student is told when it is not.'),
      })
      .describe('Ends the run, with this message, unless the condition holds.'),
  }
}

/** The body of each kind of step, with the steps inside it left unchecked. */
export const stepBodySchemas = stepBodies(z.unknown())
export type StepKind = keyof typeof stepBodySchemas
export type StepBody<Kind extends StepKind> = z.output<(typeof stepBodySchemas)[Kind]>

const streamRead = stream.describe('The table that is looked at. Default: primary.')
const where = expression.describe('Only rows for which this is true.')

const reading = z.strictObject({
  stream: streamRead.exactOptional(),
  signal: z.string().min(1).max(200).describe('The column: part.signal, a loop variable or a derived value.'),
  which: z.enum(['last', 'first']).describe('Which row. Default: last.').exactOptional(),
})
const statistic = z.strictObject({
  stream: streamRead.exactOptional(),
  signal: expression.describe('A column, or an expression over columns, time (seconds) and parameters.'),
  kind: z
    .enum(['mean', 'std', 'min', 'max', 'sum', 'count', 'crossing-rate', 'last'])
    .describe('What is computed; crossing-rate is how often a second it rises through the threshold, in Hz.'),
  threshold: amount.describe("For crossing-rate, in the column's unit. Default: 0.").exactOptional(),
  where: where.exactOptional(),
})
const fit = z.strictObject({
  model: z
    .enum(['linear', 'exponential', 'sine'])
    .describe(
      'linear has slope and intercept; exponential offset, amplitude and tau; sine offset, amplitude, frequency and phase.',
    ),
  stream: streamRead.exactOptional(),
  x: expression.describe('An expression over columns and time, in seconds since the first row.'),
  y: expression.describe('An expression over columns, fitted against x.'),
  where: where.exactOptional(),
  value: expression.describe("An expression over the model's coefficients and the parameters, such as tau."),
})

const output = z.strictObject({
  title: textSchema.describe('What people call it.'),
  unit: unitSchema.describe('The unit of the output, in UCUM spelling.'),
  reading: reading.describe('The last or first value of a column.').exactOptional(),
  statistic: statistic.describe('A statistic over a column.').exactOptional(),
  fit: fit.describe('A coefficient of a curve through the data, with its uncertainty.').exactOptional(),
})

const plot = z.strictObject({
  title: textSchema.describe('What stands above it.'),
  stream: stream.describe('The table that is drawn. Default: primary.').exactOptional(),
  x: z.string().max(200).describe('The column along x, or time, in seconds. Default: time.').exactOptional(),
  y: z.array(z.string().max(200)).min(1).max(16).describe('The columns along y.'),
  kind: z.enum(['line', 'scatter']).describe('Default: line.').exactOptional(),
  xScale: z.enum(['linear', 'log']).describe('Default: linear.').exactOptional(),
  yScale: z.enum(['linear', 'log']).describe('Default: linear.').exactOptional(),
  fit: z.string().describe('An output that is a fit over the same table: its curve is drawn too.').exactOptional(),
})

function protocolFile<Step extends z.ZodType>(step: Step) {
  return z.strictObject({
    title: textSchema.describe('What the protocol is called, in one language or in several: { en: …, es: … }.'),
    summary: textSchema.describe('What it does, in a sentence.').exactOptional(),
    version: z.int().min(1).describe('Counts up with every change that makes results differ.'),
    restart: z
      .enum(['safe', 'never'])
      .describe(
        'After a crash: safe runs the protocol again; never ends the run as interrupted, its data kept. Default: never.',
      )
      .exactOptional(),
    parameters: z
      .record(identifierSchema, parameterSpecSchema)
      .describe('What students choose before a run, by name; the form is made from it.')
      .exactOptional(),
    parts: z
      .record(identifierSchema, partRequirementSchema)
      .describe('What this protocol needs of a bench, where that is less than what lab.yaml says.')
      .exactOptional(),
    steps: z.array(step).min(1).max(10_000).describe('What is done, one after the other.'),
    outputs: z
      .record(identifierSchema, output)
      .describe('The results of a run, by name: each a reading, a statistic or a fit.')
      .exactOptional(),
    plots: z.array(plot).max(64).describe('What is drawn, the first one while the run goes on.').exactOptional(),
  })
}

/** A protocol file with its steps left unchecked: they are walked one by one, for better messages. */
export const protocolFileShape = protocolFile(z.unknown())
export type ProtocolFile = z.output<typeof protocolFileShape>

/** A step in full, with the steps inside it, for JSON Schema. */
export function stepSchemaZod(): z.ZodType {
  const step: z.ZodType = z.lazy(() =>
    z.union(
      Object.entries(stepBodies(step)).map(([kind, body]) =>
        z.strictObject({
          [kind]: body,
          label: z.string().max(200).describe('What the student sees while the step runs.').exactOptional(),
        }),
      ),
    ),
  )
  return step.meta({ id: 'Step' })
}

/** A protocol file in full, for JSON Schema. */
export const protocolFileSchemaZod = (): z.ZodType => protocolFile(stepSchemaZod())
