/** When a bench is not for runs, and when a run of some length fits in between. Pure. */
import { type Weekly, weekdays } from '@fernlab/shared/contracts/bench-care'
import { instantOf, type LocalTime, localTime, plusDays, weekdayOf } from '@fernlab/shared/primitives/zoned-time'

/** What staff have planned for a bench; times in epoch ms. */
export interface OutagePlan {
  readonly id: string
  readonly reason: string
  /** The run that is on the bench when it begins is cancelled. */
  readonly atOnce: boolean
  readonly when: { readonly from: number; readonly until: number | null } | Weekly
  readonly createdBy: string
  readonly createdAt: number
}

/** One time that a plan is in force. */
export interface Outage {
  readonly plan: OutagePlan
  readonly from: number
  /** Infinity: until somebody ends it. */
  readonly until: number
}

/** What holds for a bench at one moment, and for how long that is so. */
export interface Outlook {
  readonly current: Outage | undefined
  readonly next: Outage | undefined
  /** The moments from and before which it is the same. */
  readonly since: number
  readonly until: number
}

const dayMs = 86_400_000
/** Every weekly plan comes up within it; what lies beyond comes into sight in time for any run, which take a day at most. */
const sightMs = 15 * dayMs

export const isWeekly = (when: OutagePlan['when']): when is Weekly => 'days' in when

/** Every outage that touches the time from `from` to before `to`, the earliest first. */
export function outages(plans: readonly OutagePlan[], from: number, to: number): Outage[] {
  return plans
    .flatMap((plan) => timesOf(plan, from, to).map((times) => ({ plan, ...times })))
    .filter((outage) => outage.from < to && outage.until > from)
    .sort((a, b) => a.from - b.from || b.until - a.until)
}

function timesOf({ when }: OutagePlan, from: number, to: number): { from: number; until: number }[] {
  if (!isWeekly(when)) return [{ from: when.from, until: when.until ?? Number.POSITIVE_INFINITY }]
  const { days, timeZone } = when
  const begins = minuteOf(when.from)
  const ends = minuteOf(when.until)
  const times: { from: number; until: number }[] = []
  let day: LocalTime = plusDays(localTime(from, timeZone), -2)
  for (;;) {
    day = plusDays(day, 1)
    const begin = instantOf({ ...day, minute: begins }, timeZone, 'first')
    if (begin >= to) return times
    const name = weekdays[weekdayOf(day) - 1]
    if (name === undefined || !days.includes(name)) continue
    const last = ends > begins ? day : plusDays(day, 1)
    const end = instantOf({ ...last, minute: ends }, timeZone, 'last')
    // Hours that the clocks skip as a whole are none.
    if (end > begin) times.push({ from: begin, until: end })
  }
}

const minuteOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))

/** The outage in force and the next one; those that follow each other without a gap end with the last. */
export function outlookAt(plans: readonly OutagePlan[], now: number): Outlook {
  const seen = outages(plans, now, now + sightMs)
  const current = seen.find(({ from }) => from <= now)
  if (current === undefined) {
    const next = seen[0]
    return { current, next, since: now, until: next?.from ?? now + dayMs }
  }
  const until = endOf(seen, current.until)
  const next = seen.find(({ from }) => from > until)
  return { current: { ...current, until }, next, since: now, until: Math.min(current.until, now + dayMs) }
}

/** Where a stretch that lasts at least until `until` ends. */
function endOf(sorted: readonly Outage[], until: number): number {
  let end = until
  for (const outage of sorted) {
    if (outage.from > end) return end
    end = Math.max(end, outage.until)
  }
  return end
}

/** The first moment from `earliest` on at which the bench is free of outages for so long; null when none is in sight. */
export function firstGap(plans: readonly OutagePlan[], earliest: number, lastsMs: number): number | null {
  let start = earliest
  for (const { from, until } of outages(plans, earliest, earliest + sightMs)) {
    if (from >= start + lastsMs) break
    start = Math.max(start, until)
  }
  return start < earliest + sightMs ? start : null
}
