import { dayNames, days } from '../benches/weekdays.ts'
import type { useWords } from '../words/use-words.ts'
import { shapeOf } from './cron-shapes.ts'
import { whenOf } from './when.ts'

type Words = Pick<ReturnType<typeof useWords>, 't' | 'language'>

/** `every day at 02:30 (Europe/Madrid)`; an expression that has no words as it is. */
export function whenWords(
  { cron, timeZone }: { readonly cron: string; readonly timeZone: string },
  words: Words,
): string {
  return `${cronWords(cron, words) ?? cron} (${timeZone})`
}

/** What a cron expression says, in words; undefined where it is of no usual shape. */
export function cronWords(cron: string, { t, language }: Words): string | undefined {
  const { kind, at, weekday } = whenOf(cron)
  const names = dayNames(language, 'long')
  const nameOf = (number: number) => {
    const day = days[number - 1]
    return day === undefined ? '' : names[day]
  }
  if (kind !== 'own') return t(`recurring.said.${kind}`, { at, minute: Number(at.slice(3)), day: nameOf(weekday) })
  const shape = shapeOf(cron)
  const list = (items: readonly string[]) => new Intl.ListFormat(language).format(items)
  switch (shape?.kind) {
    case undefined:
      return undefined
    case 'everyMinutes':
    case 'everyHours':
    case 'monthly':
      return t(`recurring.said.${shape.kind}`, { ...shape })
    case 'atTimes':
      return t('recurring.said.daily', { at: list(shape.times) })
    case 'onDays':
      return t('recurring.said.weekly', { day: list(shape.weekdays.map(nameOf)), at: shape.at })
    case 'yearly': {
      const date = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long', timeZone: 'UTC' })
      // 2000 has a 29 February.
      return t('recurring.said.yearly', { date: date.format(Date.UTC(2000, shape.month - 1, shape.day)), at: shape.at })
    }
  }
}
