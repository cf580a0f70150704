/** Calendar days and clock times of a time zone as instants, also in the nights in which its clocks change. Pure. */

/** A minute of a time zone's calendar. */
export interface LocalTime {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  /** Of the day; 1440 is the next day's beginning. */
  readonly minute: number
}

const minuteMs = 60_000
const dayMs = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    const two = '2-digit'
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    })
    formats.set(timeZone, format)
  }
  return format
}

/** Whether the name is one of a time zone, such as `Europe/Madrid`. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

/** The time zone of this machine. */
export const ownTimeZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone

/** How far the zone's clocks are ahead of UTC then. */
function offsetAt(ms: number, timeZone: string): number {
  const part: Record<string, number> = {}
  for (const { type, value } of formatOf(timeZone).formatToParts(ms)) part[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000
}

/** What calendar and clock of the zone show then. */
export function localTime(ms: number, timeZone: string): LocalTime {
  const shown = new Date(ms + offsetAt(ms, timeZone))
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    minute: shown.getUTCHours() * 60 + shown.getUTCMinutes(),
  }
}

/** Calendar and clock of the zone then, as `2026-10-25 02:30:00.123`. */
export const wallClock = (ms: number, timeZone: string): string =>
  new Date(ms + offsetAt(ms, timeZone)).toISOString().slice(0, -1).replace('T', ' ')

/** The day so many days later, at the same minute. */
export function plusDays({ year, month, day, minute }: LocalTime, days: number): LocalTime {
  const date = new Date(Date.UTC(year, month - 1, day + days))
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate(), minute }
}

/** Of the day: 1 is Monday, 7 Sunday. */
export function weekdayOf({ year, month, day }: LocalTime): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() || 7
}

/**
 * When the zone's clocks show it. A time that the clocks skip is the moment at which they skip it; of one that they show
 * twice it is the first or the last.
 */
export function instantOf({ year, month, day, minute }: LocalTime, timeZone: string, which: 'first' | 'last'): number {
  const shown = Date.UTC(year, month - 1, day) + minute * minuteMs
  const around = [offsetAt(shown - dayMs, timeZone), offsetAt(shown + dayMs, timeZone)]
  const instants = around.map((offset) => shown - offset).filter((ms) => ms + offsetAt(ms, timeZone) === shown)
  if (instants.length > 0) return which === 'first' ? Math.min(...instants) : Math.max(...instants)
  return changeBetween(shown - Math.max(...around), shown - Math.min(...around), timeZone)
}

/** The moment between the two at which the zone's offset changes. */
function changeBetween(early: number, late: number, timeZone: string): number {
  const before = offsetAt(early, timeZone)
  let low = early
  let high = late
  while (high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000
    if (offsetAt(middle, timeZone) === before) low = middle
    else high = middle
  }
  return high
}

/** A stretch in which the zone's clocks keep their distance from UTC. */
export interface ZoneStretch {
  readonly until: number
  readonly offsetMs: number
}

/** The stretches of the time from `from` to `to`, in order: for many moments they cost less than asking for each. */
export function zoneStretches(from: number, to: number, timeZone: string): ZoneStretch[] {
  const stretches: ZoneStretch[] = []
  let at = from
  let offsetMs = offsetAt(at, timeZone)
  while (at < to) {
    const next = Math.min(to, at + dayMs)
    const then = offsetAt(next, timeZone)
    if (then !== offsetMs) {
      stretches.push({ until: changeBetween(at, next, timeZone), offsetMs })
      offsetMs = then
    }
    at = next
  }
  return [...stretches, { until: Number.POSITIVE_INFINITY, offsetMs }]
}
