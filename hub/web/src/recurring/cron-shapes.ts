/** Shapes of cron expressions that have words, besides those that the form asks for. Pure. */

export type CronShape =
  | { readonly kind: 'everyMinutes'; readonly count: number }
  | { readonly kind: 'everyHours'; readonly count: number; readonly minute: number }
  | { readonly kind: 'atTimes'; readonly times: readonly string[] }
  /** 1 is Monday, 7 Sunday. */
  | { readonly kind: 'onDays'; readonly weekdays: readonly number[]; readonly at: string }
  | { readonly kind: 'monthly'; readonly day: number; readonly at: string }
  | { readonly kind: 'yearly'; readonly day: number; readonly month: number; readonly at: string }

const names = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN']
const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

const number = (text: string, least: number, most: number): number | undefined =>
  /^\d{1,2}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined

/** A step that divides evenly, so that it is the same all the time: every 7 minutes is not what it says. */
const stepOf = (text: string, whole: number): number | undefined => {
  const step = text.startsWith('*/') ? number(text.slice(2), 2, whole / 2) : undefined
  return step !== undefined && whole % step === 0 ? step : undefined
}

const two = (value: number) => String(value).padStart(2, '0')

function weekdayOf(text: string): number | undefined {
  const named = names.indexOf(text.toUpperCase())
  const day = named >= 0 ? named : number(text, 0, 7)
  return day === 0 ? 7 : day
}

/** `1,3`, `MON-WED`, `SAT,SUN` as sorted days. */
function weekdaysOf(text: string): number[] | undefined {
  const days = new Set<number>()
  for (const part of text.split(',')) {
    const [from, to = from] = part.split('-').map(weekdayOf)
    if (from === undefined || to === undefined || to < from) return undefined
    for (let day = from; day <= to; day++) days.add(day)
  }
  return [...days].sort((a, b) => a - b)
}

/** The shape; undefined for an expression that is told best by its next times. */
export function shapeOf(cron: string): CronShape | undefined {
  const [minutes = '', hours = '', days = '', month = '', weekdays = '', ...more] = cron.trim().split(/\s+/)
  if (more.length > 0) return undefined
  const everyDay = days === '*' && month === '*' && weekdays === '*'
  const minuteStep = stepOf(minutes, 60)
  if (minuteStep !== undefined)
    return everyDay && hours === '*' ? { kind: 'everyMinutes', count: minuteStep } : undefined
  const minute = number(minutes, 0, 59)
  if (minute === undefined) return undefined
  const hourStep = stepOf(hours, 24)
  if (hourStep !== undefined) return everyDay ? { kind: 'everyHours', count: hourStep, minute } : undefined
  const all = hours.split(',').map((hour) => number(hour, 0, 23))
  const times = all.flatMap((hour) => (hour === undefined ? [] : [`${two(hour)}:${two(minute)}`])).sort()
  const [at] = times
  if (at === undefined || times.length < all.length) return undefined
  if (everyDay) return { kind: 'atTimes', times }
  if (times.length > 1) return undefined
  if (days === '*' && month === '*') {
    const found = weekdaysOf(weekdays)
    return found === undefined ? undefined : { kind: 'onDays', weekdays: found, at }
  }
  const day = number(days, 1, 31)
  if (day === undefined || weekdays !== '*') return undefined
  if (month === '*') return { kind: 'monthly', day, at }
  const named = months.indexOf(month.toUpperCase()) + 1
  const inMonth = named > 0 ? named : number(month, 1, 12)
  return inMonth === undefined ? undefined : { kind: 'yearly', day, month: inMonth, at }
}
