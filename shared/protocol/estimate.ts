/**
 * Time and size of a run without running it: bodies are multiplied by their loops, and evaluated turn by turn only
 * where a loop variable decides how long they take. Light, so that a page can do it while a person types.
 */
import type { InstrumentSpec, SignalSpec } from '../capabilities/signals.ts'
import { compileExpression, createCompiler } from './expression.ts'
import type {
  Amount,
  CallStep,
  ParameterValues,
  Protocol,
  RampStep,
  RecordStep,
  SignalKey,
  Step,
  UntilStep,
} from './protocol.ts'
import {
  amountIn,
  type Compile,
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

/** How much a run will take; upper bounds where not `exact`. */
export interface Estimate {
  readonly seconds: number
  /** Rows that `read` steps produce. */
  readonly points: number
  /** Samples that `record` steps produce. */
  readonly samples: number
  /** Steps performed, blocks included. */
  readonly instructions: number
  /** Rows per stream, samples of records included. */
  readonly rows: Readonly<Record<string, number>>
  /** False where a condition, a reading or an unknown value decides; times of instruments are always typical ones. */
  readonly exact: boolean
  /** The same where every condition comes true at its first look; what stands above where `exact`. */
  readonly least: { readonly seconds: number; readonly rows: Readonly<Record<string, number>> }
}

export interface EstimateOptions {
  /** Instruments by part: their set, settling and read times count. */
  readonly parts?: Readonly<Record<string, InstrumentSpec>>
}

/** Turns of loops that are evaluated, over the whole estimate; beyond, the ends of each loop only. */
/** What a lab's own server may take to let a session go, with an answer to its start that is still awaited. */
const DISPOSE_S = 30
const MAX_TURNS = 20_000
/** Turns looked at in a loop that is too long for that. */
const SAMPLE_TURNS = 16
/** The shortest pause between the turns of an `until`, as in `expand`. */
const SHORTEST_TURN_S = 0.01

interface Cost {
  seconds: number
  points: number
  samples: number
  instructions: number
  rows: Record<string, number>
}

interface Run {
  readonly compile: Compile
  readonly signals: ReadonlyMap<SignalKey, SignalSpec>
  readonly parts: Readonly<Record<string, InstrumentSpec>>
  readonly timing: Map<readonly Step[], ReadonlySet<string>>
  /** Whether the least is looked for, where there is more than one answer, or the most. */
  readonly least: boolean
  turns: number
  exact: boolean
}

/** Time and size of a run; parameters that are missing take their defaults, unusable ones make it inexact. */
export function estimate(protocol: Protocol, parameters: ParameterValues, options: EstimateOptions = {}): Estimate {
  const parts = options.parts ?? {}
  const signals = new Map<SignalKey, SignalSpec>()
  for (const [part, instrument] of Object.entries(parts)) {
    for (const signal of instrument.signals) signals.set(`${part}.${signal.name}`, signal)
  }
  const most: Run = {
    compile: createCompiler(),
    signals,
    parts,
    timing: new Map(),
    least: false,
    turns: MAX_TURNS,
    exact: true,
  }
  const values = Object.fromEntries(
    Object.entries(protocol.parameters).flatMap(([name, { default: fallback }]) => {
      const value = Object.hasOwn(parameters, name) ? parameters[name] : fallback
      return value === undefined ? [] : [[name, value] as const]
    }),
  )
  const nothing = { reading: () => undefined, statistic: () => undefined }
  const scope = rootScope(values, nothing)
  const all = [...protocol.steps, ...(protocol.cleanUp ?? [])]
  const cost = costOf(most, all, scope)
  const { exact } = most
  const least = exact ? cost : costOf({ ...most, least: true, turns: MAX_TURNS }, all, scope)
  return { ...cost, exact, least: { seconds: least.seconds, rows: least.rows } }
}

/** What a person is told of a run before it runs; rows of records are points like others. */
export interface RunSize {
  readonly seconds: number
  readonly points: number
  readonly exact: boolean
  readonly least: { readonly seconds: number; readonly points: number }
}

/** The size in an estimate. */
export function sizeOf({ seconds, rows, exact, least }: Estimate): RunSize {
  const sum = (streams: Estimate['rows']) => Object.values(streams).reduce((total, some) => total + some, 0)
  return { seconds, points: sum(rows), exact, least: { seconds: least.seconds, points: sum(least.rows) } }
}

const none = (): Cost => ({ seconds: 0, points: 0, samples: 0, instructions: 0, rows: {} })

function add(total: Cost, more: Cost, times = 1): Cost {
  total.seconds += more.seconds * times
  addCounts(total, more, times)
  return total
}

function addCounts(total: Cost, more: Cost, times = 1): void {
  total.points += more.points * times
  total.samples += more.samples * times
  total.instructions += more.instructions * times
  for (const [stream, rows] of Object.entries(more.rows)) total.rows[stream] = (total.rows[stream] ?? 0) + rows * times
}

function costOf(run: Run, steps: readonly Step[], scope: LoopScope): Cost {
  const total = none()
  for (const step of steps) add(total, stepCost(run, step, scope))
  total.instructions += steps.length
  return total
}

function stepCost(run: Run, step: Step, scope: LoopScope): Cost {
  switch (step.kind) {
    case 'set':
      return { ...none(), seconds: setSeconds(run, Object.keys(step.values)) }
    case 'ramp':
      return { ...none(), seconds: rampSeconds(run, step, scope) }
    case 'wait':
      return { ...none(), seconds: secondsOf(run, step.duration, scope) }
    case 'read':
      return { ...none(), seconds: readSeconds(run, step.signals), points: 1, rows: { [step.stream]: 1 } }
    case 'record':
      return recordCost(run, step, scope)
    case 'sweep': {
      const values = guess(run, () => sweepValues(step, scope, run.compile, 'sweep'), { count: 1, at: () => 1 })
      return loopCost(run, step.steps, values.count, step.variable, (i) =>
        withVariable(
          scope,
          step.variable,
          guess(run, () => values.at(i), 1),
        ),
      )
    }
    case 'repeat': {
      const { variable } = step
      const times = guess(run, () => repeatCount(step, scope, run.compile, 'repeat'), 1)
      return loopCost(run, step.steps, times, variable, (i) =>
        variable === undefined ? scope : withVariable(scope, variable, i),
      )
    }
    case 'until':
      return untilCost(run, step, scope)
    case 'parallel': {
      const total = none()
      for (const branch of step.branches) {
        const cost = costOf(run, branch, scope)
        addCounts(total, cost)
        total.seconds = Math.max(total.seconds, cost.seconds)
      }
      return total
    }
    case 'call':
      return { ...none(), seconds: callSeconds(run, step, scope) }
    case 'live':
      run.exact = false
      return { ...none(), seconds: run.least ? 0 : secondsOf(run, step.seconds, scope) }
    case 'dispose':
      return { ...none(), seconds: run.least ? 0 : DISPOSE_S }
    case 'assert':
      return none()
  }
}

function loopCost(
  run: Run,
  steps: readonly Step[],
  count: number,
  variable: string | undefined,
  scopeAt: (index: number) => LoopScope,
): Cost {
  if (count === 0) return none()
  if (variable === undefined || count === 1 || !timingNames(run, steps).has(variable)) {
    return add(none(), costOf(run, steps, scopeAt(0)), count)
  }
  const total = none()
  if (count <= run.turns) {
    run.turns -= count
    for (let i = 0; i < count; i++) add(total, costOf(run, steps, scopeAt(i)))
    return total
  }
  run.exact = false
  // One turn at last: two in each of many nested loops are a number of turns of their own.
  const looked = run.turns > 0 ? SAMPLE_TURNS : run.turns > -MAX_TURNS ? 2 : 1
  run.turns -= looked
  const placeOf = (i: number) => (looked === 1 ? count - 1 : Math.round((i * (count - 1)) / (looked - 1)))
  for (let i = 0; i < looked; i++) add(total, costOf(run, steps, scopeAt(placeOf(i))), count / looked)
  for (const key of ['points', 'samples', 'instructions'] as const) total[key] = Math.ceil(total[key])
  for (const [stream, rows] of Object.entries(total.rows)) total.rows[stream] = Math.ceil(rows)
  return total
}

function recordCost(run: Run, step: RecordStep, scope: LoopScope): Cost {
  const body = step.steps === undefined ? none() : costOf(run, step.steps, scope)
  const wanted = step.for === undefined ? 0 : secondsOf(run, step.for, scope)
  const rate = guess(run, () => positive(amountIn(step.rate, 'Hz', scope, run.compile), 'rate'), 1)
  if (body.seconds > 0 || step.for === undefined) run.exact = false
  const seconds = Math.max(wanted, body.seconds)
  const samples = Math.max(1, Math.round(seconds * rate))
  const own: Cost = { ...none(), samples, rows: { [step.stream]: samples } }
  addCounts(own, body)
  return { ...own, seconds }
}

function untilCost(run: Run, step: UntilStep, scope: LoopScope): Cost {
  run.exact = false
  const body = costOf(run, step.steps, scope)
  if (run.least) return body
  const every = step.every === undefined ? 0 : secondsOf(run, step.every, scope)
  const within = secondsOf(run, step.within, scope)
  const turn = Math.max(SHORTEST_TURN_S, every) + body.seconds
  const total = add(none(), body, Math.max(1, Math.ceil(within / turn)))
  return { ...total, seconds: within }
}

function setSeconds(run: Run, keys: readonly SignalKey[]): number {
  let setting = 0
  let settling = 0
  /** What a signal that may be set seldom costs in a loop; the first set of all does not wait for it. */
  let interval = 0
  for (const key of keys) {
    const signal = run.signals.get(key)
    setting += signal?.setS ?? 0
    settling = Math.max(settling, signal?.settlingS ?? 0)
    if (!run.least) interval = Math.max(interval, signal?.minSetIntervalS ?? 0)
  }
  if (interval > setting + settling) run.exact = false
  return Math.max(setting + settling, interval)
}

/** Instruments are read side by side, the signals of one after another. */
function readSeconds(run: Run, keys: readonly SignalKey[]): number {
  const byPart = new Map<string, number>()
  for (const key of keys) {
    const { part } = splitKey(key)
    byPart.set(part, (byPart.get(part) ?? 0) + (run.signals.get(key)?.readS ?? 0))
  }
  return Math.max(0, ...byPart.values())
}

function rampSeconds(run: Run, step: RampStep, scope: LoopScope): number {
  const ramp = guess(run, () => rampOf(step, scope, run.compile), undefined)
  if (ramp === undefined) return 0
  // The last value may have to wait for the one before.
  const lastS = run.least ? 0 : (run.signals.get(step.signal)?.minSetIntervalS ?? 0)
  if (lastS > 0) run.exact = false
  if (ramp.overS !== undefined) return ramp.overS + lastS
  if (ramp.from === undefined) run.exact = false
  if (ramp.from === undefined && run.least) return 0
  return Math.abs(ramp.to - (ramp.from ?? 0)) / (ramp.rate ?? 1) + lastS
}

function callSeconds(run: Run, step: CallStep, scope: LoopScope): number {
  const { part, signal: name } = splitKey(step.action)
  const action = run.parts[part]?.actions.find((candidate) => candidate.name === name)
  if (action?.typicalS !== undefined) return action.typicalS
  run.exact = false
  return step.within === undefined || run.least ? 0 : secondsOf(run, step.within, scope)
}

const secondsOf = (run: Run, amount: Amount, scope: LoopScope): number =>
  guess(run, () => notNegative(amountIn(amount, 's', scope, run.compile), 'duration'), 0)

/** What cannot be told beforehand (a reading, a missing parameter, a value that will be refused) is guessed. */
function guess<T>(run: Run, compute: () => T, otherwise: T): T {
  try {
    return compute()
  } catch {
    run.exact = false
    return otherwise
  }
}

/** Names that decide how long the steps take or how many rows they make. */
function timingNames(run: Run, steps: readonly Step[]): ReadonlySet<string> {
  const known = run.timing.get(steps)
  if (known !== undefined) return known
  const names = new Set<string>()
  const note = (...amounts: (Amount | undefined)[]) => {
    for (const amount of amounts) {
      if (typeof amount !== 'object' || typeof amount.value !== 'string') continue
      for (const name of namesOf(amount.value)) names.add(name)
    }
  }
  for (const step of steps) {
    switch (step.kind) {
      case 'wait':
        note(step.duration)
        break
      case 'ramp':
        note(step.from, step.to, step.rate, step.over)
        break
      case 'record':
        note(step.rate, step.for)
        break
      case 'sweep':
        if ('values' in step.over) note(...step.over.values)
        else note(step.over.from, step.over.to, step.over.points)
        break
      case 'repeat':
        note(step.times)
        break
      case 'until':
        note(step.within, step.every)
        break
      case 'call':
        note(step.within)
        break
      case 'live':
        note(step.seconds)
        break
      case 'set':
      case 'read':
      case 'parallel':
      case 'assert':
      case 'dispose':
        break
    }
    const inside = step.kind === 'parallel' ? step.branches : 'steps' in step && step.steps ? [step.steps] : []
    for (const nested of inside) for (const name of timingNames(run, nested)) names.add(name)
  }
  run.timing.set(steps, names)
  return names

  function namesOf(text: string): ReadonlySet<string> {
    return guess(run, () => compileExpression(text).names, new Set<string>())
  }
}
