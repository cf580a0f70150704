import type { TFunction } from 'i18next'
import { marked } from '../words/quantity.ts'
import type { Cell } from './run-data.ts'

const digits = 7

/**
 * A column's values as a table shows them: with as many decimals as its largest leaves of seven digits, so that points
 * stand below each other; with powers of ten where most are far from that one, as along a diode's curve.
 */
export function columnText(values: readonly Cell[], t: TFunction): string[] {
  const sizes = values
    .filter((value) => typeof value === 'number')
    .map(Math.abs)
    .filter((size) => size > 0)
    .sort((a, b) => a - b)
  const largest = sizes.at(-1) ?? 1
  const middle = sizes[sizes.length >> 1] ?? 1
  const powers = largest < 1e-4 || largest >= 10 ** digits || largest / middle > 100
  const most = Math.max(0, digits - 1 - Math.floor(Math.log10(largest)))
  const decimals = Math.max(0, ...values.map((value) => decimalsOf(value, most)))
  return values.map((value) => {
    if (value === null) return ''
    if (typeof value !== 'number') return String(value)
    const text = !powers ? value.toFixed(decimals) : value === 0 ? '0' : value.toExponential(4)
    return marked(text.replaceAll('-', '−'), t)
  })
}

const decimalsOf = (value: Cell, most: number): number =>
  typeof value === 'number' ? (value.toFixed(most).replace(/0+$/, '').split('.')[1]?.length ?? 0) : 0
