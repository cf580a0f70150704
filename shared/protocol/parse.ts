import {
  type ProtocolFile,
  protocolFileShape,
  type StepBody,
  type StepKind,
  stepBodySchemas,
} from '../contracts/protocol-file.ts'
import { checkSchema, type Finding, type Path, readYaml } from '../contracts/yaml-file.ts'
import type { Issue } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { parseQuantity } from '../primitives/units.ts'
import {
  type Amount,
  MAX_NESTING,
  type OutputSpec,
  type PlotSpec,
  PRIMARY_STREAM,
  type Protocol,
  type Step,
  type SweepStep,
  type Value,
} from './protocol.ts'
import { staticFindings } from './static-check.ts'

export interface ParseOptions {
  /** Name of the file, for the issues. */
  readonly file?: string
}

/** Reads a protocol file (YAML). With issues there is no protocol. */
export function parseProtocol(text: string, options: ParseOptions = {}): { protocol?: Protocol; issues: Issue[] } {
  const { protocol, issues } = readProtocolFile(text, options)
  return protocol === undefined ? { issues } : { protocol, issues }
}

/** The same, with a function that gives later findings their place in the file. */
export function readProtocolFile(
  text: string,
  options: ParseOptions = {},
): { protocol: Protocol; place: (finding: Finding) => Issue; issues: Issue[] } | { protocol?: never; issues: Issue[] } {
  const { yaml, issues } = readYaml(text, options)
  if (yaml === undefined) return { issues }
  const { protocol, findings } = readProtocol(yaml.data)
  if (protocol === undefined) return { issues: findings.slice(0, MAX_ISSUES).map(yaml.place) }
  return { protocol, place: yaml.place, issues: [] }
}

const MAX_ISSUES = 50

function readProtocol(data: unknown): { protocol?: Protocol; findings: Finding[] } {
  const { value: file, findings } = checkSchema(data, protocolFileShape)
  if (file === undefined) return { findings: [...findings, ...stepFindings(data)] }
  const reader: Reader = { findings: [], units: new Map(), parameters: file.parameters ?? {} }
  const protocol: Protocol = {
    title: file.title,
    ...(file.summary === undefined ? {} : { summary: file.summary }),
    version: file.version,
    restart: file.restart ?? 'never',
    parameters: file.parameters ?? {},
    ...(file.parts === undefined ? {} : { parts: file.parts }),
    steps: readSteps(reader, file.steps, ['steps'], 1),
    outputs: readOutputs(reader, file.outputs ?? {}),
    plots: (file.plots ?? []).map(readPlot),
  }
  const all = reader.findings.length > 0 ? reader.findings : staticFindings(protocol)
  return all.length > 0 ? { findings: all } : { protocol, findings: [] }
}

/** Reads a list of steps that stands elsewhere than in a protocol; with findings the list is not to be used. */
export function readStepList(steps: readonly unknown[], path: Path): { steps: Step[]; findings: Finding[] } {
  const reader: Reader = { findings: [], units: new Map(), parameters: {} }
  return { steps: readSteps(reader, steps, path, 1), findings: reader.findings }
}

/** What is wrong with the steps of a file whose other parts are wrong already. */
function stepFindings(data: unknown): Finding[] {
  const steps = typeof data === 'object' && data !== null && 'steps' in data ? data.steps : undefined
  if (!Array.isArray(steps)) return []
  const reader: Reader = { findings: [], units: new Map(), parameters: {} }
  readSteps(reader, steps, ['steps'], 1)
  return reader.findings
}

interface Reader {
  readonly findings: Finding[]
  /** Units of the loop variables in scope. */
  readonly units: ReadonlyMap<string, string>
  readonly parameters: Protocol['parameters']
}

function readSteps(reader: Reader, steps: readonly unknown[], path: Path, depth: number): Step[] {
  if (depth > MAX_NESTING) {
    reader.findings.push({ path, message: `steps nest deeper than ${MAX_NESTING}` })
    return []
  }
  return steps.flatMap((step, i) => readStep(reader, step, [...path, i], depth))
}

function readStep(reader: Reader, step: unknown, path: Path, depth: number): Step[] {
  const fail = (message: string, at: Path = path): Step[] => {
    reader.findings.push({ path: at, message })
    return []
  }
  if (typeof step !== 'object' || step === null || Array.isArray(step)) {
    return fail(`must be a step such as {wait: 1}, one of ${Object.keys(stepBodySchemas).join(', ')}`)
  }
  const { label, ...rest } = step as Record<string, unknown>
  const keys = Object.keys(rest)
  const unknown = keys.find((key) => !isStepKind(key))
  if (unknown !== undefined) {
    return fail(`unknown step ${JSON.stringify(unknown)}${didYouMean(unknown, Object.keys(stepBodySchemas))}`, [
      ...path,
      unknown,
    ])
  }
  const kind = keys[0] as StepKind | undefined
  if (kind === undefined) return fail('is an empty step')
  if (keys.length > 1) return fail(`has ${keys.join(' and ')}: each step does one thing`)
  if (label !== undefined && (typeof label !== 'string' || label.length > 200)) {
    return fail('must be a text of at most 200 characters', [...path, 'label'])
  }
  const named = label === undefined ? {} : { label }
  const read = bodyReaders[kind] as (body: unknown, context: Context) => Step
  const { value, findings } = checkSchema<unknown>(rest[kind], stepBodySchemas[kind], [...path, kind])
  reader.findings.push(...findings)
  if (findings.length > 0) {
    // What stands inside is read all the same, so that one mistake does not hide the next.
    const inner = (rest[kind] as { steps?: unknown } | null)?.steps
    if (Array.isArray(inner)) readSteps(reader, inner, [...path, kind, 'steps'], depth + 1)
    return []
  }
  return [read(value, { reader, path: [...path, kind], depth, named })]
}

const isStepKind = (key: string): key is StepKind => Object.hasOwn(stepBodySchemas, key)

interface Context {
  readonly reader: Reader
  readonly path: Path
  readonly depth: number
  readonly named: { readonly label?: string }
}

const within = (context: Context, steps: readonly unknown[], reader = context.reader) =>
  readSteps(reader, steps, [...context.path, 'steps'], context.depth + 1)

const bodyReaders: { readonly [Kind in StepKind]: (body: StepBody<Kind>, context: Context) => Step } = {
  set: (body, { reader, named }) => ({
    kind: 'set',
    ...named,
    values: mapValues(body, (value) => toValue(reader, value)),
  }),
  ramp: (body, { reader, named }) => ({
    kind: 'ramp',
    ...named,
    signal: body.signal,
    ...optional('from', body.from, (from) => toAmount(reader, from)),
    to: toAmount(reader, body.to),
    ...optional('rate', body.rate, (rate) => toAmount(reader, rate)),
    ...optional('over', body.over, (over) => toAmount(reader, over)),
  }),
  wait: (body, { reader, named }) => ({ kind: 'wait', ...named, duration: toAmount(reader, body) }),
  read: (body, { named }) => ({
    kind: 'read',
    ...named,
    signals: body.signals,
    stream: body.stream ?? PRIMARY_STREAM,
    derive: body.derive ?? {},
  }),
  record: (body, context) => ({
    kind: 'record',
    ...context.named,
    signals: body.signals,
    rate: toAmount(context.reader, body.rate),
    stream: body.stream,
    ...optional('for', body.for, (duration) => toAmount(context.reader, duration)),
    ...optional('steps', body.steps, (steps) => within(context, steps)),
  }),
  sweep: readSweep,
  repeat: (body, context) => ({
    kind: 'repeat',
    ...context.named,
    times: toAmount(context.reader, body.times),
    ...optional('variable', body.variable, (variable) => variable),
    steps: within(context, body.steps),
  }),
  until: (body, context) => ({
    kind: 'until',
    ...context.named,
    condition: body.condition,
    within: toAmount(context.reader, body.within),
    ...optional('every', body.every, (every) => toAmount(context.reader, every)),
    otherwise: body.otherwise ?? 'fail',
    steps: within(context, body.steps),
  }),
  parallel: (body, { reader, path, depth, named }) => ({
    kind: 'parallel',
    ...named,
    branches: body.map((branch, i) => readSteps(reader, branch, [...path, i], depth + 1)),
  }),
  call: (body, { reader, named }) => ({
    kind: 'call',
    ...named,
    action: body.action,
    arguments: mapValues(body.arguments ?? {}, (value) => toValue(reader, value)),
    ...optional('within', body.within, (limit) => toAmount(reader, limit)),
  }),
  assert: (body, { named }) => ({ kind: 'assert', ...named, condition: body.condition, message: body.message }),
}

function readSweep(body: StepBody<'sweep'>, context: Context): SweepStep {
  const { reader, path, named } = context
  const { variable, from, to, points, spacing, values, steps } = body
  const fail = (message: string) => reader.findings.push({ path, message })
  let over: SweepStep['over'] = { values: [0] }
  if (values !== undefined) {
    if ([from, to, points, spacing].some((part) => part !== undefined))
      fail('has values as well as from, to, points or spacing')
    over = { values: values.map((value) => toAmount(reader, value)) }
  } else if (from === undefined || to === undefined || points === undefined) {
    fail('needs from, to and points, or values')
  } else {
    over = {
      from: toAmount(reader, from),
      to: toAmount(reader, to),
      points: toAmount(reader, points),
      spacing: spacing ?? 'linear',
    }
  }
  const unit =
    body.unit ?? ('values' in over ? over.values : [over.from, over.to]).map(unitOf).find((u) => u !== undefined)
  const units = unit === undefined ? reader.units : new Map([...reader.units, [variable, unit]])
  return {
    kind: 'sweep',
    ...named,
    variable,
    ...optional('unit', unit, (u) => u),
    over,
    steps: within(context, steps, { ...reader, units }),
  }
}

const unitOf = (amount: Amount): string | undefined => (typeof amount === 'number' ? undefined : amount.unit)

type WrittenAmount = StepBody<'wait'>
type WrittenValue = StepBody<'set'>[string]

/** `'5 mA'` becomes value and unit; an expression that is one name with a declared unit carries that unit. */
function toAmount(reader: Reader, written: WrittenAmount): Amount {
  if (typeof written === 'number') return written
  if (typeof written === 'string') {
    const quantity = parseQuantity(written)
    if (quantity !== undefined) return quantity
    const name = written.trim()
    const unit = reader.units.get(name) ?? reader.parameters[name]?.unit
    return unit === undefined ? { value: written } : { value: written, unit }
  }
  return written.unit === undefined ? { value: written.value } : { value: written.value, unit: written.unit }
}

function toValue(reader: Reader, written: WrittenValue): Value {
  if (typeof written === 'boolean' || (typeof written === 'object' && 'text' in written)) return written
  return toAmount(reader, written)
}

function readOutputs(reader: Reader, outputs: NonNullable<ProtocolFile['outputs']>): Record<string, OutputSpec> {
  return mapValues(outputs, (output, name): OutputSpec => {
    const { title, unit, reading, statistic, fit } = output
    if ([reading, statistic, fit].filter((source) => source !== undefined).length !== 1) {
      reader.findings.push({ path: ['outputs', name], message: 'needs one of reading, statistic and fit' })
    }
    const stream = (fit ?? statistic ?? reading)?.stream ?? PRIMARY_STREAM
    if (fit !== undefined) return { title, unit, from: { ...fit, kind: 'fit', stream } }
    if (statistic !== undefined) {
      const { kind, threshold, ...rest } = statistic
      return {
        title,
        unit,
        from: {
          ...rest,
          kind: 'statistic',
          stream,
          statistic: kind,
          ...optional('threshold', threshold, (level) => toAmount(reader, level)),
        },
      }
    }
    return {
      title,
      unit,
      from: { kind: 'reading', stream, signal: reading?.signal ?? '', which: reading?.which ?? 'last' },
    }
  })
}

function readPlot(plot: NonNullable<ProtocolFile['plots']>[number]): PlotSpec {
  return {
    ...plot,
    stream: plot.stream ?? PRIMARY_STREAM,
    x: plot.x ?? 'time',
    kind: plot.kind ?? 'line',
    xScale: plot.xScale ?? 'linear',
    yScale: plot.yScale ?? 'linear',
  }
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]))
}

/** `{[key]: map(value)}`, or nothing for undefined. */
function optional<Key extends string, From, To>(
  key: Key,
  value: From | undefined,
  map: (value: From) => To,
): { [K in Key]?: To } {
  return (value === undefined ? {} : { [key]: map(value) }) as { [K in Key]?: To }
}
