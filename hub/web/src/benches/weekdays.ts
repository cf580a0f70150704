import type { Weekday } from '@fernlab/shared/contracts/bench-care'

/** In the order of a week. The contract's own list comes with its schemas, which the page does not load. */
export const days: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

/** What the days are called. */
export function dayNames(language: string, form: 'short' | 'long'): Readonly<Record<Weekday, string>> {
  const format = new Intl.DateTimeFormat(language, { weekday: form, timeZone: 'UTC' })
  // The fifth of January 1970 was a Monday.
  return Object.fromEntries(days.map((day, index) => [day, format.format(Date.UTC(1970, 0, 5 + index))])) as Record<
    Weekday,
    string
  >
}
