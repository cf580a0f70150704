import { typedDay } from '@fernlab/shared/primitives/typed-time'
import type { Asked } from './usage-queries.ts'

/** What of the address says which days are looked at. */
export interface PeriodSearch {
  readonly days?: string
  readonly from?: string
  readonly until?: string
}

export const periods = ['7', '30', '90'] as const
const dayMs = 86_400_000

/** The days in the person's own zone; the present hour is whole, so that one view is asked for once. */
export function askedFor({ days = '30', from, until }: PeriodSearch, nowMs: number): Asked {
  const timeZone = new Intl.DateTimeFormat().resolvedOptions().timeZone
  const [first, last] = [dayAt(from), dayAt(until)]
  if (first !== undefined && last !== undefined && first <= last) {
    return { from: first.toISOString(), to: nextDay(last).toISOString(), timeZone }
  }
  const to = Math.ceil(nowMs / 3_600_000) * 3_600_000
  const count = periods.some((known) => known === days) ? Number(days) : 30
  return { from: new Date(to - count * dayMs).toISOString(), to: new Date(to).toISOString(), timeZone }
}

/** The beginning of a day as a date field names it. */
export function dayAt(text: string | undefined): Date | undefined {
  const day = typedDay(text ?? '')
  return day && new Date(day.year, day.month - 1, day.day)
}

export const nextDay = (at: Date): Date => new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1)
export const dayBefore = (at: Date): Date => new Date(at.getFullYear(), at.getMonth(), at.getDate() - 1)
/** The beginning of the day of a moment. */
export const dayOf = (iso: string): Date => {
  const at = new Date(iso)
  return new Date(at.getFullYear(), at.getMonth(), at.getDate())
}

/** As a date field names the day. */
export const dayText = (at: Date): string =>
  `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`

/** The days that a period touches, as date fields name them. */
export const daysOf = ({ from, to }: Pick<Asked, 'from' | 'to'>): { from: string; until: string } => ({
  from: dayText(new Date(from)),
  until: dayText(new Date(Date.parse(to) - 1)),
})
