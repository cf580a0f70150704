import { dayNames, days } from '../benches/weekdays.ts'
import type { useWords } from '../words/use-words.ts'
import { whenOf } from './when.ts'

/** `every day at 02:30 (Europe/Madrid)`; an unusual expression as it is. */
export function whenWords(
  { cron, timeZone }: { readonly cron: string; readonly timeZone: string },
  { t, language }: ReturnType<typeof useWords>,
): string {
  const { kind, at, weekday } = whenOf(cron)
  const day = days[weekday - 1]
  const values = {
    at,
    minute: Number(at.slice(3)),
    day: day === undefined ? '' : dayNames(language, 'long')[day],
    cron,
  }
  return `${t(`recurring.said.${kind}`, values)} (${timeZone})`
}
