import type { Limits } from '@fernlab/shared/capabilities/signals'
import { axisUnit } from '../chart/ticks.ts'

/** How a number is written so that it does not jump: one unit, always as many digits, always as wide. */
export interface Steady {
  /** Prefixed to suit the scale: `mA`. */
  readonly unit: string
  readonly divide: number
  readonly digits: number
  /** In characters. */
  readonly width: number
}

const mostDigits = 6

/** For a signal on a scale; `fineness` is the smallest difference that matters, a thousandth of the scale unless given. */
export function steadyOn({ low = 0, high = 0 }: Limits, unit: string, fineness?: number): Steady {
  const largest = Math.max(Math.abs(low), Math.abs(high))
  const { divide, text } = axisUnit(largest, unit)
  const finest = (fineness ?? (high - low) / 1000) / divide
  const digits = finest > 0 ? Math.min(mostDigits, Math.max(0, Math.ceil(-Math.log10(finest) - 1e-9))) : 0
  const width = Math.max(...[low, high].map((end) => (end / divide).toFixed(digits).length))
  return { unit: text, divide, digits, width }
}

/** For a signal without a scale: four figures in the unit that suits the value; a count of no unit is whole. */
export function steadyAt(value: number, unit: string, dtype?: string): Steady {
  if (dtype === 'integer' && unit === '1') return { unit: '', divide: 1, digits: 0, width: 6 }
  const { divide, text } = axisUnit(value, unit)
  const shown = Math.abs(value / divide)
  const whole = shown < 1 ? 0 : Math.floor(Math.log10(shown) + 1e-9)
  return { unit: text, divide, digits: Math.max(0, 3 - whole), width: 6 }
}

/** The digits alone; zero has no sign, and a minus is a minus. */
export function steadyText(value: number, { divide, digits }: Steady): string {
  const text = (value / divide).toFixed(digits)
  return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', '\u2212')
}

/** Digits and unit, as in a sentence. */
export const steadyQuantity = (value: number, steady: Steady): string =>
  steady.unit === '' ? steadyText(value, steady) : `${steadyText(value, steady)}\u202f${steady.unit}`
