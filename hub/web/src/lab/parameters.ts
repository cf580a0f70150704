import type { ParameterSpec, Scalar } from '@fernlab/shared/capabilities/signals'
import type { LabDetail } from '@fernlab/shared/contracts/api'
import { convert, parseQuantity, sameDimension } from '@fernlab/shared/primitives/units'
import type { TFunction } from 'i18next'
import { quantityIn, unitText } from '../words/quantity.ts'

export type LabProtocol = LabDetail['protocols'][number]

/** One parameter as its JSON Schema declares it, with texts in every language where the protocol has them. */
export interface Parameter extends ParameterSpec {
  readonly name: string
}

/** The parameters of a protocol, in the order of its schema. */
export function parametersOf(protocol: LabProtocol): Parameter[] {
  const schema = protocol.parameters as { properties?: Record<string, Omit<Parameter, 'name'>> }
  const definition = protocol.definition as { parameters?: Record<string, Omit<Parameter, 'name'>> } | undefined
  return Object.entries(schema.properties ?? {}).map(([name, declared]) => {
    const own = definition?.parameters?.[name]
    return {
      ...declared,
      name,
      ...(own?.title === undefined ? {} : { title: own.title }),
      ...(own?.description === undefined ? {} : { description: own.description }),
    }
  })
}

/** What stands in a field at first: the default, as text for numbers. */
export const initialInput = (parameter: Parameter, value?: Scalar): string | boolean => {
  const first = value ?? parameter.default
  if (parameter.type === 'boolean') return first === true
  if (first !== undefined) return String(first)
  return parameter.enum === undefined ? '' : String(parameter.enum[0])
}

/** `read` is the number that was read, where it is that number that is wrong. */
export type Checked = { readonly value: Scalar } | { readonly error: string; readonly read?: number }

/** The value of what a person typed, in the declared unit, or what is wrong with it. */
export function checkInput(parameter: Parameter, input: string | boolean, t: TFunction): Checked {
  if (typeof input === 'boolean') return { value: input }
  if (parameter.enum !== undefined) {
    const choice = parameter.enum.find((one) => String(one) === input)
    return choice === undefined ? { error: t('field.choice') } : { value: choice }
  }
  if (parameter.type === 'string') {
    return input === '' && parameter.default === undefined ? { error: t('field.required') } : { value: input }
  }
  return checkNumber(parameter, input.trim(), t)
}

function checkNumber(parameter: Parameter, input: string, t: TFunction): Checked {
  if (input === '') return { error: t('field.required') }
  const unit = parameter.unit ?? '1'
  const wanted = unitText(unit)
  const read = readNumber(input, unit)
  if (read === undefined) {
    const tail = /^[+-]?[\d.,]+(?:[eE][+-]?\d+)?\s*(\S.*)$/.exec(input)?.[1]
    if (tail !== undefined && wanted !== '') return { error: t('field.unknownUnit', { unit: tail, wanted }) }
    const example = quantityIn(t, typeof parameter.default === 'number' ? parameter.default : 1, unit)
    return { error: t('field.number', { example }) }
  }
  if ('misfit' in read) return { error: t('field.unit', { unit: unitText(read.misfit), wanted: wanted || '1' }) }
  const checked = checkLimits(parameter, read.value, t)
  return 'error' in checked ? { ...checked, read: read.value } : checked
}

/** A plain number is in the declared unit; `200 ms` is converted to it; a decimal comma is read as a point. */
function readNumber(input: string, unit: string): { value: number } | { misfit: string } | undefined {
  const pointed = /^[+-]?\d+,\d+(\D|$)/.test(input) ? input.replace(',', '.') : input
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(pointed)) return { value: Number(pointed) }
  const parsed = parseQuantity(pointed)
  if (parsed === undefined) return undefined
  if (!sameDimension(parsed.unit, unit)) return { misfit: parsed.unit }
  return { value: Number(convert(parsed.value, parsed.unit, unit).toPrecision(12)) }
}

function checkLimits(parameter: Parameter, value: number, t: TFunction): Checked {
  const limit = (number: number) => quantityIn(t, number, parameter.unit ?? '1')
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = parameter
  if (!Number.isFinite(value)) return { error: t('field.number', { example: limit(1) }) }
  if (parameter.type === 'integer' && !Number.isInteger(value)) return { error: t('field.integer') }
  if (minimum !== undefined && value < minimum) return { error: t('field.low', { limit: limit(minimum) }) }
  if (maximum !== undefined && value > maximum) return { error: t('field.high', { limit: limit(maximum) }) }
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) {
    return { error: t('field.above', { limit: limit(exclusiveMinimum) }) }
  }
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) {
    return { error: t('field.below', { limit: limit(exclusiveMaximum) }) }
  }
  if (multipleOf !== undefined && Math.abs(value / multipleOf - Math.round(value / multipleOf)) > 1e-9) {
    return { error: t('field.step', { step: limit(multipleOf) }) }
  }
  return { value }
}

/** How a slider runs over a parameter's limits; undefined where one does not help. */
export function sliderOf(parameter: Parameter): { low: number; high: number; logarithmic: boolean } | undefined {
  const low = parameter.minimum ?? parameter.exclusiveMinimum
  const high = parameter.maximum ?? parameter.exclusiveMaximum
  if (parameter.type === 'string' || parameter.type === 'boolean' || parameter.enum !== undefined) return undefined
  if (low === undefined || high === undefined || high <= low) return undefined
  return { low, high, logarithmic: parameter.type !== 'integer' && low > 0 && high / low >= 100 }
}
