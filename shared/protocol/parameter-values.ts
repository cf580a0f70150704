/** Values that people give for parameters, checked against their declarations. Light: the form in the page uses it. */
import type { ParameterSpec, Scalar } from '../capabilities/signals.ts'
import type { Issue } from '../primitives/lab-error.ts'
import { asLabError } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { convertTrimmed } from '../primitives/units.ts'

/** Whether a text holds a match of a pattern; must take linear time, patterns come from lab builders. */
export type PatternMatcher = (pattern: string, text: string) => boolean

const MAX_TEXT = 1000
const MAX_MAGNITUDE = 1e15

export interface ValueCheck {
  /** Root of the paths: `parameters`. */
  readonly root: string
  /** Without, patterns are left to whoever checks next. */
  readonly matches?: PatternMatcher
}

/**
 * The values in declared units with defaults filled in; each input is a value or `{value, unit}`. With issues,
 * `values` holds those that were good.
 */
export function checkValues(
  specs: Readonly<Record<string, ParameterSpec>>,
  input: unknown,
  check: ValueCheck,
): { values: Record<string, Scalar>; issues: Issue[] } {
  const values: Record<string, Scalar> = {}
  const issues: Issue[] = []
  if (input !== undefined && input !== null && (typeof input !== 'object' || Array.isArray(input))) {
    return { values, issues: [{ path: check.root, message: 'must be an object with one value per parameter' }] }
  }
  const given = new Map(Object.entries(input ?? {}))
  for (const name of given.keys()) {
    if (Object.hasOwn(specs, name)) continue
    const shown = name.slice(0, 80)
    issues.push({
      path: `${check.root}.${shown}`,
      message: `there is no parameter ${JSON.stringify(shown)}${didYouMean(shown, Object.keys(specs))}`,
    })
    if (issues.length >= 20) break
  }
  for (const [name, spec] of Object.entries(specs)) {
    const path = `${check.root}.${name}`
    const own = given.get(name)
    const value = own === undefined ? spec.default : own
    if (value === undefined) {
      issues.push({ path, message: 'is missing and has no default' })
      continue
    }
    const result = checkValue(spec, value, check.matches)
    if ('message' in result) issues.push({ path, message: result.message })
    else values[name] = result.value
  }
  return { values, issues }
}

function checkValue(
  spec: ParameterSpec,
  input: unknown,
  matches: PatternMatcher | undefined,
): { value: Scalar } | { message: string } {
  switch (spec.type) {
    case 'boolean':
      return typeof input === 'boolean' ? oneOf(spec, input) : { message: `must be true or false, not ${shown(input)}` }
    case 'string':
      return typeof input === 'string'
        ? checkText(spec, input, matches)
        : { message: `must be text, not ${shown(input)}` }
    case 'number':
    case 'integer':
      return checkNumber(spec, input)
  }
}

function checkText(spec: ParameterSpec, text: string, matches: PatternMatcher | undefined) {
  if (text.length > MAX_TEXT) return { message: `is longer than ${MAX_TEXT} characters` }
  if (spec.pattern !== undefined && matches !== undefined && !matches(spec.pattern, text)) {
    return { message: `${shown(text)} does not match the pattern ${spec.pattern}` }
  }
  return oneOf(spec, text)
}

function checkNumber(spec: ParameterSpec, input: unknown): { value: Scalar } | { message: string } {
  const read = inDeclaredUnit(spec, input)
  if ('message' in read) return read
  const { value } = read
  const unit = spec.unit === undefined || spec.unit === '1' ? '' : ` ${spec.unit}`
  const say = (what: string, limit: number) => ({ message: `${value}${unit} is ${what} of ${limit}${unit}` })
  if (!Number.isFinite(value)) return { message: 'must be a finite number' }
  if (Math.abs(value) > MAX_MAGNITUDE) return { message: `${value}${unit} is too large` }
  if (spec.type === 'integer' && !Number.isInteger(value)) return { message: `must be a whole number, not ${value}` }
  if (spec.maximum !== undefined && value > spec.maximum) return say('above the limit', spec.maximum)
  if (spec.minimum !== undefined && value < spec.minimum) return say('below the limit', spec.minimum)
  if (spec.exclusiveMaximum !== undefined && value >= spec.exclusiveMaximum) {
    return say('not below the limit', spec.exclusiveMaximum)
  }
  if (spec.exclusiveMinimum !== undefined && value <= spec.exclusiveMinimum) {
    return say('not above the limit', spec.exclusiveMinimum)
  }
  if (spec.multipleOf !== undefined) {
    const ratio = value / spec.multipleOf
    if (Math.abs(ratio - Math.round(ratio)) > 1e-9 * Math.max(1, Math.abs(ratio)))
      return say('not a multiple', spec.multipleOf)
  }
  return oneOf(spec, value)
}

function inDeclaredUnit(spec: ParameterSpec, input: unknown): { value: number } | { message: string } {
  if (typeof input === 'number') return { value: input }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { message: `must be a number, not ${shown(input)}` }
  }
  const { value, unit, ...rest } = input as Record<string, unknown>
  if (typeof value !== 'number' || typeof unit !== 'string' || Object.keys(rest).length > 0) {
    return { message: 'must be a number, or a number and its unit as {value, unit}' }
  }
  try {
    // Fifteen digits: what a conversion of 5000 mV adds behind them would break the limit of 5 V.
    return { value: convertTrimmed(value, unit, spec.unit ?? '1') }
  } catch (error) {
    return { message: asLabError(error).message }
  }
}

function oneOf(spec: ParameterSpec, value: Scalar): { value: Scalar } | { message: string } {
  if (spec.enum === undefined || spec.enum.includes(value)) return { value }
  return { message: `${shown(value)} is not one of ${spec.enum.map((choice) => JSON.stringify(choice)).join(', ')}` }
}

function shown(input: unknown): string {
  if (input === null) return 'nothing'
  if (Array.isArray(input)) return 'a list'
  if (typeof input === 'object') return 'an object'
  if (typeof input === 'string') return JSON.stringify(input.length > 60 ? `${input.slice(0, 60)}…` : input)
  return String(input)
}
