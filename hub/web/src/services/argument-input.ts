/** What a person types for an argument of an action, as its contract wants it. Pure. */
import type { Scalar } from '@fernlab/shared/capabilities/signals'
import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { arrayOfKind } from '@fernlab/shared/rpc/contract/array-of-kind'
import type { ArraySpec, ValueSpec } from '@fernlab/shared/rpc/contract/value-spec'
import type { TFunction } from 'i18next'
import { checkInput, type Parameter } from '../lab/parameters.ts'

type Signal = DirectoryService['contract']['signals'][string]

/** Numbers, text, choices and switches have fields of their own; what is made of several is written as text. */
export function parameterOf(name: string, spec: ValueSpec): Parameter | undefined {
  if (!['number', 'integer', 'string', 'boolean'].includes(spec.type)) return undefined
  return { ...(spec as Omit<Parameter, 'name'>), name }
}

/** A signal as what is typed to set it; undefined for arrays, which are only read. */
export function parameterOfSignal(name: string, signal: Signal): Parameter | undefined {
  const { dtype, unit, limits: { low, high } = {}, values, title } = signal
  if (dtype === 'array') return undefined
  return {
    name,
    type: dtype === 'string' ? 'string' : dtype,
    unit,
    ...(title === undefined ? {} : { title }),
    ...(low === undefined ? {} : { minimum: low }),
    ...(high === undefined ? {} : { maximum: high }),
    ...(values === undefined ? {} : { enum: values }),
  }
}

export type Read = { readonly value: unknown } | { readonly error: string }

/** The value, or what is wrong with what was typed; lists of numbers may be written without brackets. */
export function readArgument(name: string, spec: ValueSpec, input: string | boolean, t: TFunction): Read {
  const parameter = parameterOf(name, spec)
  if (parameter !== undefined) return checkInput(parameter, input, t)
  const text = String(input).trim()
  if (spec.type === 'none') return { value: null }
  if (spec.type === 'array') return arrayOf(spec, text, t)
  if (text === '') return spec.type === 'any' ? { value: null } : { error: t('field.required') }
  const isBare = spec.type === 'list' && !text.startsWith('[')
  try {
    const value: unknown = JSON.parse(isBare ? `[${text}]` : text)
    const isOfKind =
      spec.type === 'any' ||
      (spec.type === 'list'
        ? Array.isArray(value)
        : typeof value === 'object' && value !== null && !Array.isArray(value))
    return isOfKind ? { value } : { error: t(spec.type === 'list' ? 'service.form.list' : 'service.form.object') }
  } catch {
    return { error: t(spec.type === 'list' ? 'service.form.list' : 'service.form.object') }
  }
}

function arrayOf({ of }: ArraySpec, text: string, t: TFunction): Read {
  const words = text
    .replace(/^\[|\]$/g, '')
    .split(/[\s,;]+/)
    .filter((word) => word !== '')
  const numbers = words.map(Number)
  if (numbers.length === 0 || numbers.some(Number.isNaN)) return { error: t('service.form.numbers') }
  const made = arrayOfKind(of, numbers)
  return 'array' in made ? { value: made.array } : { error: t('service.form.whole', { kind: of }) }
}

/** What stands in the field at first. */
export function firstInput(spec: ValueSpec): string | boolean {
  const { default: first, enum: choices } = spec as { default?: Scalar; enum?: readonly Scalar[] }
  if (spec.type === 'boolean') return first === true
  return String(first ?? choices?.[0] ?? '')
}

const MOST_SHOWN = 8
const MOST_CHARS = 2000

/** What came back, short enough to be read: of arrays how many, and the first. */
export function valueText(value: unknown): string {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const all = value as unknown as ArrayLike<number>
    const first = Array.from({ length: Math.min(all.length, MOST_SHOWN) }, (_, i) =>
      Number((all[i] ?? 0).toPrecision(6)),
    )
    return `${all.length} × ${kindOf(value)}: ${first.join(', ')}${all.length > MOST_SHOWN ? ', …' : ''}`
  }
  if (typeof value === 'string') return cut(value)
  return cut(JSON.stringify(value, (_, part) => (ArrayBuffer.isView(part) ? valueText(part) : part), 1) ?? '')
}

const kindOf = (array: ArrayBufferView): string => array.constructor.name.replace('Array', '').toLowerCase()

const cut = (text: string): string => (text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)} …` : text)
