/** A value that names its unit, in the unit of the signal or argument that it is for. Pure. */
import { convertTrimmed, formatUnit, parseQuantity, sameDimension, tryParseUnit } from '../../primitives/units.ts'
import { isRecord } from '../errors.ts'

/** A number, and what stands behind it: of a unit that nobody knows. */
const AMOUNT = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\s\d.+-]\S{0,63})\s*$/
const units: ReadonlySet<string> = new Set(['value', 'unit'])

/** What takes a value: the type that its contract has, and the unit of its numbers. */
interface Takes {
  readonly dtype: string
  readonly unit: string
}

/**
 * `'1500 mV'` and `{ value: 1500, unit: 'mV' }` as 1.5 for what is in V, or why not; units in text as people write them
 * (`°C`, `kΩ`), else in UCUM. What names no unit stays as it is.
 */
export function inOwnUnit(
  { dtype, unit }: Takes,
  given: unknown,
): { readonly value: unknown } | { readonly issue: string } {
  const amount = dtype === 'number' || dtype === 'integer' ? amountOf(given) : undefined
  if (amount === undefined) return { value: given }
  if (tryParseUnit(amount.unit) === undefined)
    return { issue: `is in ${amount.unit}, which is no unit that is known: ${instead(amount.unit, unit)}` }
  if (amount.unit !== unit && !sameDimension(amount.unit, unit))
    return { issue: `is in ${amount.unit}, which can't be given in ${unit}` }
  return { value: convertTrimmed(amount.value, amount.unit, unit) }
}

/** What people write for units whose names in UCUM are others; small letters, without a plural's s. Of no prefix that is another in capitals. */
const USUAL: Readonly<Record<string, string>> = {
  c: 'Cel',
  degc: 'Cel',
  celsiu: 'Cel',
  degf: '[degF]',
  fahrenheit: '[degF]',
  kelvin: 'K',
  volt: 'V',
  millivolt: 'mV',
  amp: 'A',
  ampere: 'A',
  milliamp: 'mA',
  ohm: 'Ohm',
  kohm: 'kOhm',
  watt: 'W',
  hz: 'Hz',
  khz: 'kHz',
  hertz: 'Hz',
  sec: 's',
  second: 's',
  msec: 'ms',
  usec: 'us',
  minute: 'min',
  hour: 'h',
  degree: 'deg',
  percent: '%',
}

/** How what is in `unit` may be given by whoever wrote a unit that nobody knows. */
function instead(written: string, unit: string): string {
  const word = written.toLowerCase().replace(/s$/, '')
  const meant = Object.hasOwn(USUAL, word) ? USUAL[word] : undefined
  if (meant !== undefined && sameDimension(meant, unit)) return `write ${asWritten(meant)}`
  return unit === '1' ? 'it has no unit' : `it is given in ${asWritten(unit)}`
}

const asWritten = (unit: string): string => {
  const shown = formatUnit(unit)
  return shown === unit ? unit : `${shown} or ${unit}`
}

function amountOf(given: unknown): { readonly value: number; readonly unit: string } | undefined {
  if (typeof given === 'string') {
    // A number alone is none that is written as text.
    if (!Number.isNaN(Number(given))) return undefined
    const quantity = parseQuantity(given)
    if (quantity !== undefined) return quantity
    const [, digits, unit] = AMOUNT.exec(given) ?? []
    return digits === undefined || unit === undefined ? undefined : { value: Number(digits), unit }
  }
  if (!isRecord(given) || ArrayBuffer.isView(given)) return undefined
  const { value, unit } = given
  const isAmount =
    typeof value === 'number' && typeof unit === 'string' && Object.keys(given).every((key) => units.has(key))
  return isAmount ? { value, unit } : undefined
}
