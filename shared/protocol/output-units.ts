import { sameDimension } from '../primitives/units.ts'
import type { FitOutput, OutputSpec } from './protocol.ts'

type Columns = readonly { readonly key: string; readonly unit: string }[]

/**
 * The unit in which an output is computed, where its columns tell; undefined for a value by an expression, which is
 * in the unit that the output declares.
 */
export function naturalUnit(from: OutputSpec['from'], columns: Columns): string | undefined {
  switch (from.kind) {
    case 'reading':
      return unitOfColumn(columns, from.signal)
    case 'statistic':
      if (from.statistic === 'count') return '1'
      if (from.statistic === 'crossing-rate') return 'Hz'
      return unitOfColumn(columns, from.signal)
    case 'fit':
      return coefficientUnit(from, columns)
  }
}

/** The unit of a column named by the whole expression; `time` is in s. */
export function unitOfColumn(columns: Columns, text: string): string | undefined {
  const name = text.trim()
  return name === 'time' ? 's' : columns.find(({ key }) => key === name)?.unit
}

/** True for a coefficient that is a level of y, and as wrong as the readings of y are. */
export const isInUnitOfY = (fit: FitOutput): boolean => ['offset', 'amplitude', 'intercept'].includes(fit.value.trim())

function coefficientUnit(fit: FitOutput, columns: Columns): string | undefined {
  const x = unitOfColumn(columns, fit.x)
  const y = unitOfColumn(columns, fit.y)
  if (isInUnitOfY(fit)) return y
  switch (fit.value.trim()) {
    case 'tau':
      return x
    case 'frequency':
      return x === undefined ? undefined : sameDimension(x, 's') && x === 's' ? 'Hz' : `1/(${x})`
    case 'phase':
      return 'rad'
    case 'slope':
      return x === undefined || y === undefined ? undefined : `(${y})/(${x})`
    default:
      return undefined
  }
}
