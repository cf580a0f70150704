/** Amounts, values and loop bounds of steps, evaluated in a scope. Light: `estimate` uses it in the browser. */
import type { Scalar } from '../capabilities/signals.ts'
import { LabError } from '../primitives/lab-error.ts'
import { convert, convertStep } from '../primitives/units.ts'
import type { Expression, Scope } from './expression.ts'
import type { Amount, ParameterValues, RampStep, RepeatStep, SignalKey, SweepStep, Value } from './protocol.ts'

export type Compile = (text: string) => Expression

/** What a step sees, and the loop variables around it. */
export interface LoopScope extends Scope {
  readonly loop: Readonly<Record<string, number>>
}

/** The scope of a protocol's first steps. */
export function rootScope(parameters: ParameterValues, bench: Pick<Scope, 'reading' | 'statistic'>): LoopScope {
  return {
    loop: {},
    variable: (name) => (Object.hasOwn(parameters, name) ? parameters[name] : undefined),
    reading: (signal) => bench.reading(signal),
    statistic: (kind, signal, frequencyHz) => bench.statistic(kind, signal, frequencyHz),
  }
}

/** The scope of one turn of a loop. */
export function withVariable(scope: LoopScope, name: string, value: number): LoopScope {
  return {
    loop: { ...scope.loop, [name]: value },
    variable: (wanted) => (wanted === name ? value : scope.variable(wanted)),
    reading: scope.reading,
    statistic: scope.statistic,
  }
}

/** Splits `part.signal`. */
export function splitKey(key: SignalKey): { part: string; signal: string } {
  const dot = key.indexOf('.')
  return { part: key.slice(0, dot), signal: key.slice(dot + 1) }
}

/** The amount as a number: in `unit`, or, without, in its own unit or the one its place implies. */
export function amountIn(amount: Amount, unit: string | undefined, scope: Scope, compile: Compile): number {
  if (typeof amount === 'number') return amount
  const value = typeof amount.value === 'number' ? amount.value : compile(amount.value).number(scope)
  return unit === undefined || amount.unit === undefined ? value : trim(convert(value, amount.unit, unit))
}

/** Fifteen digits: what a conversion adds behind them is no part of the value. */
const trim = (value: number): number => Number(value.toPrecision(15))

/** The unit that an amount names. */
export const unitOf = (value: Value): string | undefined =>
  typeof value === 'object' && 'unit' in value ? value.unit : undefined

/** A value with the unit that it names. */
export function evaluateValue(value: Value, scope: Scope, compile: Compile): { value: Scalar; unit?: string } {
  if (typeof value !== 'object') return { value }
  if ('text' in value) return { value: value.text }
  const scalar = typeof value.value === 'number' ? value.value : compile(value.value).evaluate(scope)
  return value.unit === undefined ? { value: scalar } : { value: scalar, unit: value.unit }
}

export interface Ramp {
  readonly part: string
  readonly signal: string
  readonly from?: number
  readonly to: number
  /** The unit of from, to and rate (per second); undefined: the signal's own. */
  readonly unit?: string
  readonly overS?: number
  readonly rate?: number
}

/** The ramp with its numbers in the unit of `to`. */
export function rampOf(step: RampStep, scope: Scope, compile: Compile): Ramp {
  const unit = unitOf(step.to)
  return {
    ...splitKey(step.signal),
    to: amountIn(step.to, unit, scope, compile),
    ...(unit === undefined ? {} : { unit }),
    ...(step.from === undefined ? {} : { from: amountIn(step.from, unit, scope, compile) }),
    ...(step.over === undefined ? {} : { overS: notNegative(amountIn(step.over, 's', scope, compile), 'over') }),
    ...(step.rate === undefined ? {} : { rate: rateOf(step.rate, unit, scope, compile) }),
  }
}

function rateOf(rate: Amount, unit: string | undefined, scope: Scope, compile: Compile): number {
  const value = positive(amountIn(rate, undefined, scope, compile), 'rate')
  const own = unitOf(rate)
  return own === undefined || unit === undefined ? value : trim(convertStep(value, own, perSecond(unit)))
}

/** The unit of a rate of change. */
export const perSecond = (unit: string): string => (unit === '1' ? '1/s' : `(${unit})/s`)

/** The values of a sweep, computed one by one on demand. */
export function sweepValues(
  step: SweepStep,
  scope: Scope,
  compile: Compile,
  path: string,
): { count: number; at(index: number): number } {
  const number = (amount: Amount) => amountIn(amount, step.unit, scope, compile)
  const { over } = step
  if ('values' in over) {
    return { count: over.values.length, at: (i) => number(over.values[i] ?? Number.NaN) }
  }
  const count = whole(amountIn(over.points, '1', scope, compile), 1, `${path}.points`)
  const [from, to] = [number(over.from), number(over.to)]
  if (over.spacing === 'linear') {
    return { count, at: (i) => (i === 0 ? from : i === count - 1 ? to : from + ((to - from) * i) / (count - 1)) }
  }
  if (!(from * to > 0)) throw outOfRange(`${path}: a logarithmic sweep cannot go from ${from} to ${to}`)
  const ratio = to / from
  return { count, at: (i) => (i === 0 ? from : i === count - 1 ? to : from * ratio ** (i / (count - 1))) }
}

/** How often a repeat runs. */
export function repeatCount(step: RepeatStep, scope: Scope, compile: Compile, path: string): number {
  return whole(amountIn(step.times, '1', scope, compile), 0, `${path}.times`)
}

function whole(value: number, least: number, path: string): number {
  if (!Number.isInteger(value) || value < least) {
    throw outOfRange(`${path}: must be a whole number of at least ${least}, not ${value}`)
  }
  return value
}

/** The value; throws when it is below zero. */
export function notNegative(value: number, path: string): number {
  if (value >= 0) return value
  throw outOfRange(`${path}: must not be negative, and is ${value}`)
}

/** The value; throws when it is zero or below. */
export function positive(value: number, path: string): number {
  if (value > 0) return value
  throw outOfRange(`${path}: must be above zero, and is ${value}`)
}

function outOfRange(message: string): LabError {
  return new LabError({ code: 'value-out-of-range', kind: 'caller', message })
}
