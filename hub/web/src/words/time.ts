import type { TFunction } from 'i18next'

const minute = 60
const hour = 3600
const day = 86_400

/** How long, as a person says it: `25 s`, `6 min`, `2 h 10 min`. */
export function duration(seconds: number, t: TFunction): string {
  if (seconds < 90) return t('time.seconds', { n: Math.max(1, Math.round(seconds)) })
  if (seconds < 90 * minute) return t('time.minutes', { n: Math.round(seconds / minute) })
  if (seconds < 2 * day) {
    const minutes = Math.round(seconds / minute)
    return t('time.hours', { h: Math.floor(minutes / 60), m: minutes % 60 })
  }
  return t('time.days', { n: Math.round(seconds / day) })
}

/** The same with "about" before it. */
export const about = (seconds: number, t: TFunction): string => t('time.about', { time: duration(seconds, t) })

/** Between the two, as a person says it: `5 to 13 s`, `50 s to 3 min`; about one of them where both sound alike. */
export function range(least: number, most: number, t: TFunction): string {
  const [low, high] = [duration(least, t), duration(most, t)]
  if (low === high) return t('time.about', { time: high })
  const [number, unit] = /^(\d+)(\D+)$/.exec(low)?.slice(1) ?? []
  const sameUnit = unit !== undefined && /^\d+\D+$/.test(high) && high.endsWith(unit)
  return t('time.range', { low: sameUnit ? number : low, high })
}

/** Relative when near (`5 minutes ago`), absolute with its zone when far. */
export function moment(iso: string, language: string, nowMs: number): string {
  const deltaS = (Date.parse(iso) - nowMs) / 1000
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const size = Math.abs(deltaS)
  if (size < minute) return format.format(Math.round(deltaS), 'second')
  if (size < hour) return format.format(Math.round(deltaS / minute), 'minute')
  if (size < day) return format.format(Math.round(deltaS / hour), 'hour')
  return absolute(iso, language)
}

/** A time near now as a person says it: the time of day, with the day unless it is today. */
export function soonTime(iso: string, language: string, nowMs: number): string {
  const date = new Date(iso)
  const today = date.toDateString() === new Date(nowMs).toDateString()
  const far = Math.abs(date.getTime() - nowMs) > 6 * day * 1000
  const shown: Intl.DateTimeFormatOptions = today
    ? {}
    : far
      ? { day: 'numeric', month: 'short', year: 'numeric' }
      : { weekday: 'long' }
  return new Intl.DateTimeFormat(language, { ...shown, hour: 'numeric', minute: '2-digit' }).format(date)
}

/** Date and time with the zone. */
export function absolute(iso: string, language: string): string {
  return new Intl.DateTimeFormat(language, {
    dateStyle: 'medium',
    timeStyle: 'short',
  })
    .format(new Date(iso))
    .concat(' ', zone(language))
}

function zone(language: string): string {
  const parts = new Intl.DateTimeFormat(language, { timeZoneName: 'short' }).formatToParts(new Date())
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? ''
}

/** The day alone. */
export const date = (iso: string, language: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(new Date(iso))

/** The time of day to the second, for logs. */
export function clockTime(iso: string, language: string): string {
  return new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(new Date(iso))
}
