import { quantity, unitText } from '../words/quantity.ts'

const thinSpaces = /[\u2009\u202f]/

/** The unit in which an axis reads best, and what to divide values by: 0…0.0006 A reads as 0…600 µA. */
export function axisUnit(largest: number, unit: string): { divide: number; text: string } {
  const plain = { divide: 1, text: unitText(unit) }
  if (!Number.isFinite(largest) || largest === 0) return plain
  const power = 10 ** Math.floor(Math.log10(Math.abs(largest)) + 1e-9)
  const [number, scaled] = quantity(power, unit).split(thinSpaces)
  const value = Number(number)
  if (scaled === undefined || !Number.isFinite(value) || value === 0) return plain
  const divide = 10 ** Math.round(Math.log10(power / value))
  return divide === 1 ? plain : { divide, text: scaled }
}

/** Tick labels with just the digits that the step needs: 0.25 needs two, or its labels would be off their marks. */
export function tickTexts(splits: readonly (number | null)[], divide: number): string[] {
  const values = splits.filter((one): one is number => one !== null)
  const step = values.length > 1 ? Math.abs((values[1] ?? 0) - (values[0] ?? 0)) / divide : 1
  const digits = digitsOf(step)
  return splits.map((split) => (split === null ? '' : number(split / divide, digits)))
}

function digitsOf(step: number): number {
  const least = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))
  const scaled = step * 10 ** least
  return step === 0 ? 0 : Math.min(10, Math.abs(scaled - Math.round(scaled)) < 1e-6 ? least : least + 1)
}

function number(value: number, digits: number): string {
  const magnitude = Math.abs(value)
  if (magnitude !== 0 && (magnitude >= 1e6 || magnitude < 1e-6)) return power(value)
  // −0 is 0, and a minus is a minus.
  return (Number(value.toFixed(digits)) === 0 ? 0 : value).toFixed(digits).replace('-', '−')
}

/** Tick labels of a logarithmic axis: whole powers of ten, others only where there is room. */
export function logTickTexts(splits: readonly (number | null)[], all: boolean): string[] {
  return splits.map((split) => {
    if (split === null || split <= 0) return ''
    const exponent = Math.log10(split)
    if (Math.abs(exponent - Math.round(exponent)) > 1e-6) return all ? String(Number(split.toPrecision(2))) : ''
    return split >= 1e-3 && split < 1e5 ? String(Number(split.toPrecision(3))) : power(split)
  })
}

function power(value: number): string {
  const [mantissa = '1', exponent = '0'] = Number(value.toPrecision(3)).toExponential().split('e')
  const raised = [...String(Number(exponent))].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)] ?? '⁻').join('')
  return mantissa === '1' ? `10${raised}` : `${mantissa}×10${raised}`.replace('-', '−')
}
