/** What can be said of a protocol without knowing instruments or values: names, scopes, streams, outputs, plots. */
import type { ParameterSpec } from '../capabilities/signals.ts'
import type { Finding, Path } from '../contracts/yaml-file.ts'
import { asLabError } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { createCompiler, type Expression } from './expression.ts'
import { isReserved } from './expression-functions.ts'
import { checkValues } from './parameter-values.ts'
import { matchesPattern, patternProblem } from './patterns.ts'
import {
  type Amount,
  FIT_COEFFICIENTS,
  MAX_NESTING,
  type OutputSpec,
  type PlotSpec,
  type Protocol,
  type Step,
  type Value,
} from './protocol.ts'
import { type StreamUse, streamUses } from './stream-columns.ts'

interface Check {
  readonly findings: Finding[]
  readonly compile: (text: string) => Expression
  readonly recorded: ReadonlySet<string>
}

type Names = ReadonlySet<string>

/** Findings with paths as in the file: `steps[3].sweep.steps[0].set`. */
export function staticFindings(protocol: Protocol): Finding[] {
  const uses = streamUses(protocol)
  const recorded = new Set(
    uses.filter((use) => use.path.at(-1) === 'record').flatMap((use) => use.columns.map(({ key }) => key)),
  )
  const check: Check = { findings: [], compile: createCompiler(), recorded }
  for (const [name, spec] of Object.entries(protocol.parameters)) checkParameter(check, name, spec)
  const parameters = new Set(Object.keys(protocol.parameters))
  checkSteps(check, protocol.steps, ['steps'], parameters, 1)
  checkSteps(check, protocol.cleanUp ?? [], ['cleanUp'], parameters, 1)
  checkStreams(check, uses)
  const streams = new Map<string, ReadonlySet<string>>()
  for (const use of uses) streams.set(use.stream, new Set(use.columns.map(({ key }) => key)))
  for (const [name, output] of Object.entries(protocol.outputs)) checkOutput(check, name, output, streams, parameters)
  protocol.plots.forEach((plot, i) => {
    checkPlot(check, plot, ['plots', i], protocol, streams)
  })
  return check.findings
}

function checkParameter(check: Check, name: string, spec: ParameterSpec): void {
  const path = ['parameters', name]
  const fail = (message: string, ...more: string[]) => check.findings.push({ path: [...path, ...more], message })
  if (isReserved(name)) fail(`${name} has a meaning in expressions: take another name`)
  const numeric = spec.type === 'number' || spec.type === 'integer'
  if (!numeric) {
    const keys = ['unit', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'] as const
    for (const key of keys) if (spec[key] !== undefined) fail(`is for numbers, and ${name} is a ${spec.type}`, key)
  }
  if (spec.pattern !== undefined) {
    const problem = spec.type === 'string' ? patternProblem(spec.pattern) : 'is for texts only'
    if (problem !== undefined) fail(problem, 'pattern')
  }
  const low = Math.max(spec.minimum ?? -Infinity, spec.exclusiveMinimum ?? -Infinity)
  const high = Math.min(spec.maximum ?? Infinity, spec.exclusiveMaximum ?? Infinity)
  if (low > high) {
    fail(`minimum ${low} is above maximum ${high}`)
    return
  }
  for (const [i, choice] of (spec.enum ?? []).entries()) {
    const { issues } = checkValues({ choice: spec }, { choice }, { root: '', matches: matchesPattern })
    if (issues[0] !== undefined) fail(`choice ${i + 1}: ${issues[0].message}`, 'enum')
  }
  if (spec.default === undefined) return
  const { issues } = checkValues({ default: spec }, { default: spec.default }, { root: '', matches: matchesPattern })
  if (issues[0] !== undefined) fail(issues[0].message, 'default')
}

function checkSteps(check: Check, steps: readonly Step[], path: Path, names: Names, depth: number): void {
  if (depth > MAX_NESTING) {
    check.findings.push({ path, message: `steps nest deeper than ${MAX_NESTING}` })
    return
  }
  steps.forEach((step, i) => {
    checkStep(check, step, [...path, i, step.kind], names, depth)
  })
}

function checkStep(check: Check, step: Step, path: Path, names: Names, depth: number): void {
  const fail = (message: string, ...more: (string | number)[]) =>
    check.findings.push({ path: [...path, ...more], message })
  const amount = (value: Amount | undefined, ...more: (string | number)[]) =>
    checkValue(check, value, [...path, ...more], names)
  const inner = (steps: readonly Step[], inside: Names = names) =>
    checkSteps(check, steps, [...path, 'steps'], inside, depth + 1)
  const bound = (value: Amount, ...more: string[]) => {
    const expression = amount(value, ...more)
    if (expression !== undefined && expression.signals.size + expression.recorded.size > 0) {
      fail('must not depend on readings: the length of a run is known before it begins', ...more)
    }
  }
  switch (step.kind) {
    case 'set':
      if (Object.keys(step.values).length === 0) fail('sets nothing')
      for (const [key, value] of Object.entries(step.values)) checkValue(check, value, [...path, key], names)
      return
    case 'ramp':
      if ((step.rate === undefined) === (step.over === undefined)) fail('needs one of rate and over')
      for (const key of ['from', 'to', 'rate', 'over'] as const) amount(step[key], key)
      checkRampUnits(step, fail)
      return
    case 'wait':
      amount(step.duration)
      return
    case 'read':
      for (const [name, derived] of Object.entries(step.derive)) {
        if (names.has(name)) fail(`${name} is the name of a variable or parameter already`, 'derive', name)
        if (isReserved(name)) fail(`${name} has a meaning in expressions: take another name`, 'derive', name)
        checkExpression(check, derived.value, [...path, 'derive', name, 'value'], names)
      }
      return
    case 'record':
      amount(step.rate, 'rate')
      amount(step.for, 'for')
      if (step.for === undefined && step.steps === undefined) fail('needs for, steps, or both')
      if (step.steps !== undefined) inner(step.steps)
      return
    case 'sweep':
      if ('values' in step.over) for (const [i, value] of step.over.values.entries()) amount(value, 'values', i)
      else {
        const { from, to, points, spacing } = step.over
        amount(from, 'from')
        amount(to, 'to')
        bound(points, 'points')
        if (spacing === 'logarithmic') checkLogarithmic(from, to, fail)
      }
      inner(step.steps, declare(step.variable, 'variable'))
      return
    case 'repeat':
      bound(step.times, 'times')
      inner(step.steps, step.variable === undefined ? names : declare(step.variable, 'variable'))
      return
    case 'until':
      checkExpression(check, step.condition, [...path, 'condition'], names)
      amount(step.within, 'within')
      amount(step.every, 'every')
      inner(step.steps)
      return
    case 'parallel':
      step.branches.forEach((branch, b) => {
        checkSteps(check, branch, [...path, b], names, depth + 1)
      })
      return
    case 'call':
      for (const [name, value] of Object.entries(step.arguments))
        checkValue(check, value, [...path, 'arguments', name], names)
      amount(step.within, 'within')
      return
    case 'assert':
      checkExpression(check, step.condition, [...path, 'condition'], names)
      return
    case 'live':
      bound(step.seconds, 'seconds')
      return
    case 'dispose':
      return
  }

  function declare(variable: string, key: string): Names {
    if (names.has(variable)) fail(`${variable} is the name of a variable or parameter already`, key)
    if (isReserved(variable)) fail(`${variable} has a meaning in expressions: take another name`, key)
    return new Set([...names, variable])
  }
}

type Fail = (message: string, ...more: string[]) => unknown

/** Instructions carry one unit per ramp, so its parts either all name units or all take the signal's. */
function checkRampUnits(step: Extract<Step, { kind: 'ramp' }>, fail: Fail): void {
  const has = (amount: Amount | undefined) => typeof amount === 'object' && amount.unit !== undefined
  if (step.from !== undefined && has(step.from) !== has(step.to))
    fail('give both from and to a unit, or neither', 'from')
  if (step.rate !== undefined && has(step.rate) && !has(step.to)) fail('give to a unit as well', 'rate')
}

function checkLogarithmic(from: Amount, to: Amount, fail: Fail): void {
  const [a, b] = [from, to].map((end) =>
    typeof end === 'number' ? end : typeof end.value === 'number' ? end.value : undefined,
  )
  if (a === 0 || b === 0 || (a !== undefined && b !== undefined && a * b < 0)) {
    fail('a logarithmic sweep needs from and to on the same side of zero', 'spacing')
  }
}

function checkValue(check: Check, value: Value | undefined, path: Path, names: Names): Expression | undefined {
  if (typeof value !== 'object' || 'text' in value || typeof value.value === 'number') return undefined
  return checkExpression(check, value.value, path, names)
}

function checkExpression(check: Check, text: string, path: Path, names: Names): Expression | undefined {
  let expression: Expression
  try {
    expression = check.compile(text)
  } catch (error) {
    check.findings.push({ path, message: asLabError(error).message })
    return undefined
  }
  for (const name of expression.names) {
    if (!names.has(name)) {
      check.findings.push({
        path,
        message: `${JSON.stringify(text)} uses ${name}, which is not known here${didYouMean(name, names)}`,
      })
    }
  }
  for (const key of expression.recorded) {
    if (!check.recorded.has(key)) {
      check.findings.push({
        path,
        message: `${JSON.stringify(text)} asks the record of ${key}, and no record step records it`,
      })
    }
  }
  return expression
}

function checkStreams(check: Check, uses: readonly StreamUse[]): void {
  const first = new Map<string, StreamUse>()
  for (const use of uses) {
    const before = first.get(use.stream)
    if (before === undefined) {
      first.set(use.stream, use)
      continue
    }
    const [wanted, found] = [before, use].map(({ columns }) =>
      columns.map((column) => ('unit' in column ? `${column.key} (${column.unit})` : column.key)).sort(),
    )
    if (String(wanted) !== String(found)) {
      check.findings.push({
        path: use.path,
        message: `fills stream ${use.stream} with ${found?.join(', ')}, but another step fills it with ${wanted?.join(', ')}; give one of them another stream`,
      })
    }
  }
}

function checkOutput(
  check: Check,
  name: string,
  { from }: OutputSpec,
  streams: ReadonlyMap<string, ReadonlySet<string>>,
  parameters: Names,
): void {
  const path = ['outputs', name, from.kind]
  const fail = (message: string, ...more: string[]) => check.findings.push({ path: [...path, ...more], message })
  const columns = streams.get(from.stream)
  if (columns === undefined) {
    fail(`no step fills stream ${from.stream}${didYouMean(from.stream, streams.keys())}`, 'stream')
    return
  }
  const over = (text: string | undefined, key: string) => {
    if (text === undefined) return
    const variables = new Set([...parameters, 'time', ...[...columns].filter((column) => !column.includes('.'))])
    const expression = checkExpression(check, text, [...path, key], variables)
    for (const signal of expression?.signals ?? []) {
      if (!columns.has(signal)) fail(`stream ${from.stream} has no column ${signal}${didYouMean(signal, columns)}`, key)
    }
    if (expression !== undefined && expression.recorded.size > 0) fail('asks a record: outputs look at columns', key)
  }
  switch (from.kind) {
    case 'reading':
      if (!columns.has(from.signal))
        fail(`stream ${from.stream} has no column ${from.signal}${didYouMean(from.signal, columns)}`, 'signal')
      return
    case 'statistic':
      over(from.signal, 'signal')
      over(from.where, 'where')
      if ((from.statistic === 'crossing-rate') !== (from.threshold !== undefined)) {
        fail(
          from.threshold === undefined ? 'crossing-rate needs a threshold' : 'is for crossing-rate only',
          'threshold',
        )
      }
      checkValue(check, from.threshold, [...path, 'threshold'], parameters)
      return
    case 'fit': {
      over(from.x, 'x')
      over(from.y, 'y')
      over(from.where, 'where')
      const known = new Set([...FIT_COEFFICIENTS[from.model], ...parameters])
      const expression = checkExpression(check, from.value, [...path, 'value'], known)
      if (expression !== undefined && expression.signals.size > 0)
        fail('may use coefficients and parameters only', 'value')
      return
    }
  }
}

function checkPlot(
  check: Check,
  plot: PlotSpec,
  path: Path,
  protocol: Protocol,
  streams: ReadonlyMap<string, ReadonlySet<string>>,
): void {
  const fail = (message: string, ...more: (string | number)[]) =>
    check.findings.push({ path: [...path, ...more], message })
  const columns = streams.get(plot.stream)
  if (columns === undefined) {
    fail(`no step fills stream ${plot.stream}${didYouMean(plot.stream, streams.keys())}`, 'stream')
    return
  }
  const missing = (column: string) => `stream ${plot.stream} has no column ${column}${didYouMean(column, columns)}`
  if (plot.x !== 'time' && !columns.has(plot.x)) fail(missing(plot.x), 'x')
  plot.y.forEach((column, i) => {
    if (!columns.has(column)) fail(missing(column), 'y', i)
  })
  if (plot.fit === undefined) return
  const output = Object.hasOwn(protocol.outputs, plot.fit) ? protocol.outputs[plot.fit] : undefined
  if (output?.from.kind !== 'fit')
    fail(`no output ${plot.fit} is a fit${didYouMean(plot.fit, Object.keys(protocol.outputs))}`, 'fit')
  else if (output.from.stream !== plot.stream)
    fail(`${plot.fit} fits stream ${output.from.stream}, not ${plot.stream}`, 'fit')
}
