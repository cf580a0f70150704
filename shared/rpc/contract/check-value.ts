/** Whether a value is what its spec says; written by hand, as each call pays for it. */
import type { ParameterSpec } from '../../capabilities/signals.ts'
import type { Issue } from '../../primitives/lab-error.ts'
import type { PatternMatcher } from '../../protocol/parameter-values.ts'
import { isRecord } from '../errors.ts'
import { typeOfArray } from '../typed-arrays.ts'
import type { ListSpec, ObjectSpec, ValueSpec } from './value-spec.ts'

/** Of a text that is shown in an error. */
const MOST_CHARS = 64

/** True for what is right at a glance: most values are, and of those nothing needs to be said. */
export function isPlainly(spec: ValueSpec, value: unknown): boolean {
  const { type } = spec
  if (type === 'any') return true
  if (type === 'boolean') return typeof value === 'boolean'
  if (type !== 'number' && type !== 'integer') return false
  if (typeof value !== 'number' || (type === 'integer' && !Number.isSafeInteger(value))) return false
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = spec
  if (spec.exclusiveMinimum !== undefined || spec.exclusiveMaximum !== undefined) return false
  if (spec.multipleOf !== undefined || spec.enum !== undefined) return false
  // NaN is within no limits; whether there are some, is asked where it is looked at closely.
  return value >= minimum && value <= maximum
}

export interface Checking {
  /** What is wrong is added to these. */
  readonly issues: Issue[]
  readonly hasPattern: PatternMatcher
  /** How a wrong value is told; as it is unless given. */
  readonly inWords?: InWords
}

/** Adds what is wrong with the value; a stranger's list is looked through until the first thing that is wrong. */
export function checkValue(spec: ValueSpec, value: unknown, path: string, checking: Checking): void {
  const { issues, hasPattern, inWords = shown } = checking
  const wrong = (message: string) => void issues.push({ path, message })
  switch (spec.type) {
    case 'any':
      return
    case 'none':
      if (value !== null && value !== undefined) wrong('must be nothing')
      return
    case 'boolean':
      if (typeof value !== 'boolean') wrong('must be true or false')
      return
    case 'number':
    case 'integer':
      return void checkNumber(spec, value, wrong, inWords)
    case 'string':
      return void checkText(spec, value, wrong, hasPattern)
    case 'array':
      return void checkArray(spec.of, value, wrong)
    case 'list':
      return void checkList(spec, value, path, checking)
    case 'object':
      return void checkObject(spec, value, path, checking)
  }
}

function checkNumber(spec: ParameterSpec, value: unknown, wrong: (message: string) => void, inWords: InWords): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, unit } = spec
  const of = (bound: number) => (unit === undefined || unit === '1' ? String(bound) : `${bound} ${unit}`)
  const isKind = spec.type === 'integer' ? Number.isSafeInteger(value) : typeof value === 'number'
  const kind = spec.type === 'integer' ? 'an integer' : 'a number'
  if (typeof value !== 'number' || !isKind) return void wrong(`must be ${kind}, not ${inWords(value)}`)
  const isBounded =
    minimum !== undefined || maximum !== undefined || exclusiveMinimum !== undefined || exclusiveMaximum !== undefined
  if (Number.isNaN(value) && isBounded) return void wrong('must be a number within its limits, not NaN')
  if (minimum !== undefined && value < minimum) return void wrong(`${of(value)} is below the limit of ${of(minimum)}`)
  if (maximum !== undefined && value > maximum) return void wrong(`${of(value)} is above the limit of ${of(maximum)}`)
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    return void wrong(`must be above ${of(exclusiveMinimum)}`)
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum)
    return void wrong(`must be below ${of(exclusiveMaximum)}`)
  if (multipleOf !== undefined) {
    const steps = value / multipleOf
    if (!(Math.abs(steps - Math.round(steps)) <= 1e-9 * Math.max(1, Math.abs(steps))))
      wrong(`must be a multiple of ${of(multipleOf)}`)
  }
  if (spec.enum !== undefined && !spec.enum.includes(value)) wrong(`must be one of ${spec.enum.join(', ')}`)
}

type InWords = (value: unknown) => string

/** A value in words of an error without any text of it: what a service gives by mistake may be a secret. */
export const withoutText: InWords = (value) => (typeof value === 'string' ? 'text' : shown(value))

/** A value in words of an error: a scalar itself, of anything else what it is. */
function shown(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > MOST_CHARS ? `${value.slice(0, MOST_CHARS)}…` : value)
  if (value === null || value === undefined) return 'nothing'
  if (typeof value !== 'object') return typeof value === 'function' ? 'a function' : String(value)
  if (ArrayBuffer.isView(value)) return 'an array'
  return Array.isArray(value) ? 'a list' : 'an object'
}

function checkArray(of: string, value: unknown, wrong: (message: string) => void): void {
  const kind = ArrayBuffer.isView(value) ? typeOfArray(value) : undefined
  if (kind === of) return
  const given = Array.isArray(value) ? 'a list' : kind === undefined ? `a ${typeof value}` : `one of ${kind}`
  wrong(`must be a typed array of ${of}, not ${value === null ? 'nothing' : given}`)
}

function checkText(
  spec: ParameterSpec,
  value: unknown,
  wrong: (message: string) => void,
  hasPattern: PatternMatcher,
): void {
  if (typeof value !== 'string') return void wrong('must be text')
  if (spec.enum !== undefined && !spec.enum.includes(value)) return void wrong(`must be one of ${spec.enum.join(', ')}`)
  if (spec.pattern !== undefined && !hasPattern(spec.pattern, value)) wrong(`must match ${spec.pattern}`)
}

function checkList(spec: ListSpec, value: unknown, path: string, checking: Checking): void {
  const { issues } = checking
  if (!Array.isArray(value)) return void issues.push({ path, message: 'must be a list' })
  if (spec.maxItems !== undefined && value.length > spec.maxItems) {
    return void issues.push({ path, message: `has ${value.length} items, and may have ${spec.maxItems}` })
  }
  const before = issues.length
  for (let i = 0; i < value.length && issues.length === before; i++) {
    checkValue(spec.items, value[i], `${path}[${i}]`, checking)
  }
}

function checkObject(spec: ObjectSpec, value: unknown, path: string, checking: Checking): void {
  const { issues } = checking
  if (!isRecord(value) || ArrayBuffer.isView(value)) return void issues.push({ path, message: 'must be an object' })
  for (const [name, member] of Object.entries(spec.members)) {
    const inner = path === '' ? name : `${path}.${name}`
    if (Object.hasOwn(value, name)) checkValue(member, value[name], inner, checking)
    else if (spec.optional?.includes(name) !== true) issues.push({ path: inner, message: 'is missing' })
  }
}
