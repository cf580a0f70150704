/**
 * Values against limits, and what the protocol asserts of its parameters, before a run. Only what is proven to be out of
 * limits is reported: loops are evaluated turn by turn within a budget, and no interval arithmetic refuses what could never
 * happen.
 */
import { textIn } from '../contracts/common.ts'
import type { Finding, Path } from '../contracts/yaml-file.ts'
import { asLabError } from '../primitives/lab-error.ts'
import { convertTrimmed } from '../primitives/units.ts'
import type { BenchView } from './bench-view.ts'
import { createCompiler, type Expression } from './expression.ts'
import { checkValues } from './parameter-values.ts'
import type { Protocol, SignalKey, Step, Value } from './protocol.ts'
import {
  amountIn,
  evaluateValue,
  type LoopScope,
  notNegative,
  positive,
  rampOf,
  repeatCount,
  rootScope,
  splitKey,
  sweepValues,
  withVariable,
} from './quantities.ts'

const MAX_VISITS = 200_000
const MAX_TURNS = 1000

interface Run {
  readonly compile: (text: string) => Expression
  readonly bench: BenchView
  readonly found: Map<string, Finding>
  visits: number
}

/** What is out of limits or cannot be evaluated with the given parameters; one finding per place. */
export function limitFindings(protocol: Protocol, bench: BenchView): Finding[] {
  const run: Run = { compile: createCompiler(), bench, found: new Map(), visits: MAX_VISITS }
  const nothing = { reading: () => undefined, statistic: () => undefined }
  const scope = rootScope(bench.parameters, nothing)
  visit(run, protocol.steps, ['steps'], scope)
  visit(run, protocol.cleanUp ?? [], ['cleanUp'], scope)
  return [...run.found.values()]
}

function visit(run: Run, steps: readonly Step[], path: Path, scope: LoopScope): void {
  steps.forEach((step, i) => {
    visitStep(run, step, [...path, i, step.kind], scope)
  })
}

function visitStep(run: Run, step: Step, path: Path, scope: LoopScope): void {
  run.visits -= 1
  const attempt = (at: Path, compute: () => void) => {
    try {
      compute()
    } catch (error) {
      if (isKnown(run, step, scope)) report(run, at, asLabError(error).message)
    }
  }
  const inside = [...path, 'steps']
  switch (step.kind) {
    case 'set':
      for (const [key, value] of Object.entries(step.values)) {
        attempt([...path, key], () => checkSet(run, key, value, [...path, key], scope))
      }
      return
    case 'ramp':
      attempt(path, () => {
        const { from, to, unit } = rampOf(step, scope, run.compile)
        if (from !== undefined) checkNumber(run, step.signal, from, unit, [...path, 'from'])
        checkNumber(run, step.signal, to, unit, [...path, 'to'])
      })
      return
    case 'wait':
      attempt(path, () => notNegative(amountIn(step.duration, 's', scope, run.compile), 'the time'))
      return
    case 'record':
      attempt([...path, 'rate'], () => {
        const rate = positive(amountIn(step.rate, 'Hz', scope, run.compile), 'the rate')
        for (const key of step.signals) {
          const fastest = run.bench.signal(key)?.maxRateHz
          if (fastest !== undefined && rate > fastest) {
            report(run, [...path, 'rate'], `${rate} Hz is above the fastest rate of ${key}, ${fastest} Hz`)
          }
        }
      })
      if (step.for !== undefined) {
        const duration = step.for
        attempt([...path, 'for'], () => notNegative(amountIn(duration, 's', scope, run.compile), 'the time'))
      }
      if (step.steps !== undefined) visit(run, step.steps, inside, scope)
      return
    case 'sweep':
      attempt(path, () => {
        const { count, at } = sweepValues(step, scope, run.compile, 'the sweep')
        turns(run, count, (i) => visit(run, step.steps, inside, withVariable(scope, step.variable, at(i))))
      })
      return
    case 'repeat':
      attempt(path, () => {
        const { variable } = step
        const times = repeatCount(step, scope, run.compile, 'the repeat')
        if (variable === undefined) {
          if (times > 0) visit(run, step.steps, inside, scope)
        } else turns(run, times, (i) => visit(run, step.steps, inside, withVariable(scope, variable, i)))
      })
      return
    case 'until':
      attempt([...path, 'within'], () => positive(amountIn(step.within, 's', scope, run.compile), 'the time'))
      visit(run, step.steps, inside, scope)
      return
    case 'parallel':
      step.branches.forEach((branch, b) => {
        visit(run, branch, [...path, b], scope)
      })
      return
    case 'call':
      for (const [name, value] of Object.entries(step.arguments)) {
        const at = [...path, 'arguments', name]
        attempt(at, () => checkArgument(run, step.action, name, value, at, scope))
      }
      return
    case 'assert':
      if (!isKnownText(run, step.condition, scope)) return
      attempt(path, () => {
        if (!run.compile(step.condition).condition(scope)) report(run, path, textIn(step.message, 'en'))
      })
      return
    case 'live':
      attempt([...path, 'seconds'], () => positive(amountIn(step.seconds, 's', scope, run.compile), 'the time'))
      return
    case 'read':
    case 'dispose':
      return
  }
}

/** All turns while the budget lasts; first, last and some between in a loop that is too long. */
function turns(run: Run, count: number, turn: (index: number) => void): void {
  const looked = Math.min(
    count,
    run.visits > 0 ? (count <= run.visits ? Math.max(MAX_TURNS, run.visits) : MAX_TURNS) : 2,
  )
  // The ends first: where the budget runs out, they have been seen.
  for (let k = 0; k < looked; k++) {
    const place = k === 1 ? looked - 1 : k === 0 ? 0 : k - 1
    turn(looked === 1 ? 0 : Math.round((place * (count - 1)) / (looked - 1)))
    if (run.visits < -MAX_VISITS) return
  }
}

function checkSet(run: Run, key: SignalKey, value: Value, path: Path, scope: LoopScope): void {
  const { value: scalar, unit } = evaluateValue(value, scope, run.compile)
  const signal = run.bench.signal(key)
  const wanted = { number: 'number', integer: 'number', boolean: 'boolean', string: 'string', array: '' }[
    signal?.dtype ?? 'number'
  ]
  if (typeof scalar !== wanted) {
    report(
      run,
      path,
      `must be ${wanted === 'number' ? 'a number' : wanted === 'boolean' ? 'true or false' : 'text'}, and is ${scalar}`,
    )
  } else if (typeof scalar === 'number') checkNumber(run, key, scalar, unit, path)
}

/** Missing and unknown arguments are found without values; patterns are left to the node. */
function checkArgument(run: Run, key: SignalKey, name: string, value: Value, path: Path, scope: LoopScope): void {
  const { part, signal: action } = splitKey(key)
  const known = run.bench.instrument(part)?.actions.find((candidate) => candidate.name === action)?.arguments ?? {}
  const spec = Object.hasOwn(known, name) ? known[name] : undefined
  if (spec === undefined) return
  const { value: scalar, unit } = evaluateValue(value, scope, run.compile)
  const given = unit === undefined ? scalar : { value: scalar, unit }
  for (const { message } of checkValues({ [name]: spec }, { [name]: given }, { root: '' }).issues) {
    report(run, path, message)
  }
}

function checkNumber(run: Run, key: SignalKey, value: number, unit: string | undefined, path: Path): void {
  const signal = run.bench.signal(key)
  if (signal === undefined) return
  const own = unit === undefined ? value : convertTrimmed(value, unit, signal.unit)
  const { low, high } = run.bench.limits(key)
  const shown = signal.unit === '1' ? '' : ` ${signal.unit}`
  if (high !== undefined && own > high) report(run, path, `${own}${shown} is above the limit of ${high}${shown}`)
  else if (low !== undefined && own < low) report(run, path, `${own}${shown} is below the limit of ${low}${shown}`)
}

function report(run: Run, path: Path, message: string): void {
  const key = path.join('\n')
  if (!run.found.has(key)) run.found.set(key, { path, message })
}

/** False when the step needs a reading, or a parameter that has no value yet: then its failure proves nothing. */
function isKnown(run: Run, step: Step, scope: LoopScope): boolean {
  const { steps: _, branches: __, condition: ___, derive: ____, ...own } = step as unknown as Record<string, unknown>
  const texts: string[] = []
  collect(own, texts)
  return texts.every((text) => isKnownText(run, text, scope))
}

function isKnownText(run: Run, text: string, scope: LoopScope): boolean {
  const { names, signals, recorded } = run.compile(text)
  return signals.size + recorded.size === 0 && [...names].every((name) => scope.variable(name) !== undefined)
}

/** Expression texts of a step: every `{value: text}` in it. */
function collect(part: unknown, texts: string[]): void {
  if (typeof part !== 'object' || part === null) return
  for (const [key, value] of Object.entries(part)) {
    if (key === 'value' && typeof value === 'string') texts.push(value)
    else collect(value, texts)
  }
}
