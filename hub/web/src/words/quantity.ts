import { formatQuantity, formatUnit, type QuantityFormat } from '@fernlab/shared/primitives/units'
import type { TFunction } from 'i18next'

/** A value with its unit as a person writes it; a unit that we do not know stands as it is. */
export function quantity(value: number, unit: string, format?: QuantityFormat): string {
  try {
    return formatQuantity(value, unit, format)
  } catch {
    return `${value}\u202f${unit}`
  }
}

/** Numbers in a text as the page's language marks their decimals; what is typed stays as the browser has it. */
export const marked = (text: string, t: TFunction): string => text.replace(/(?<=\d)\.(?=\d)/g, t('app.decimal'))

/** The same with the decimal mark of the page's language. */
export const quantityIn = (t: TFunction, value: number, unit: string, format?: QuantityFormat): string =>
  marked(quantity(value, unit, format), t)

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
