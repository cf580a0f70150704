import { formatQuantity, formatUnit, type QuantityFormat } from '@fernlab/shared/primitives/units'

/** A value with its unit as a person writes it; a unit that we do not know stands as it is. */
export function quantity(value: number, unit: string, format?: QuantityFormat): string {
  try {
    return formatQuantity(value, unit, format)
  } catch {
    return `${value}\u202f${unit}`
  }
}

/** The unit as a person writes it; empty for plain numbers. */
export function unitText(unit: string | undefined): string {
  if (unit === undefined || unit === '1' || unit === '') return ''
  try {
    return formatUnit(unit)
  } catch {
    return unit
  }
}

/** A whole number with thin groups: `10 000 000`. */
export const count = (value: number, language: string): string => new Intl.NumberFormat(language).format(value)

/** Bytes as `1.2 GB`. */
export function bytes(value: number, language: string): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)))
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: units[step] ?? 'byte',
    unitDisplay: 'short',
    maximumSignificantDigits: 3,
  }).format(value / 1000 ** step)
}
