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
export const sightMs = 15 * dayMs

export const isWeekly = (when: OutagePlan['when']): when is Weekly => 'days' in when

/** Every outage that touches the time from `from` to before `to`, the earliest first. */
export function outages(plans: readonly OutagePlan[], from: number, to: number): Outage[] {
  return plans
    .flatMap((plan) => timesOf(plan, from, to).map((times) => ({ plan, ...times })))
    .filter((outage) => outage.from < to && outage.until > from)
    .sort((a, b) => a.from - b.from || b.until - a.until)
}

function timesOf({ when }: OutagePlan, from: number, to: number): Times[] {
  if (!isWeekly(when)) return [{ from: when.from, until: when.until ?? Number.POSITIVE_INFINITY }]
  const times: Times[] = []
  // One that begins the day before may last until now, and an hour longer where the clocks are set back.
  for (let block = Math.floor((from - 2 * dayMs) / blockMs); block * blockMs < to; block++) {
    times.push(...weeklyTimes(when, block))
  }
  return times
}

interface Times {
  readonly from: number
  readonly until: number
}

/** The calendar of a time zone is slow to ask: what has been found is kept for as long as the plan is. */
const foundTimes = new WeakMap<Weekly, Map<number, readonly Times[]>>()
const blockMs = 32 * dayMs
const mostBlocks = 64

/** Those that begin in so many days from then on. */
function weeklyTimes(weekly: Weekly, block: number): readonly Times[] {
  let blocks = foundTimes.get(weekly)
  if (blocks === undefined || blocks.size >= mostBlocks) {
    blocks = new Map()
    foundTimes.set(weekly, blocks)
  }
  let times = blocks.get(block)
  if (times === undefined) {
    times = timesWithin(weekly, block * blockMs, (block + 1) * blockMs)
    blocks.set(block, times)
  }
  return times
}

function timesWithin({ days, timeZone, ...hours }: Weekly, from: number, to: number): Times[] {
  const begins = minuteOf(hours.from)
  const ends = minuteOf(hours.until)
  const times: Times[] = []
  let day: LocalTime = plusDays(localTime(from, timeZone), -2)
  for (;;) {
    day = plusDays(day, 1)
    const begin = instantOf({ ...day, minute: begins }, timeZone, 'first')
    if (begin >= to) return times
    const name = weekdays[weekdayOf(day) - 1]
    if (begin < from || name === undefined || !days.includes(name)) continue
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

/** The weeks in which the clocks change have others: found anew for each day. */
const longest = new WeakMap<readonly OutagePlan[], { readonly day: number; readonly mostMs: number }>()

/** The longest that the hours of every week leave the bench open at a time, in ms; what is planned once is not counted. */
export function longestOpening(plans: readonly OutagePlan[], now: number): number {
  const day = Math.floor(now / dayMs)
  let known = longest.get(plans)
  if (known?.day !== day) {
    const mostMs = longestGap(outages(plans.filter(isEveryWeek), day * dayMs, day * dayMs + sightMs))
    known = { day, mostMs }
    longest.set(plans, known)
  }
  return known.mostMs
}

const isEveryWeek = ({ when }: OutagePlan): boolean => isWeekly(when) && when.days.length > 0

function longestGap(sorted: readonly Outage[]): number {
  const [first, ...others] = sorted
  if (first === undefined) return Number.POSITIVE_INFINITY
  let [mostMs, end] = [0, first.until]
  for (const { from, until } of others) {
    mostMs = Math.max(mostMs, from - end)
    end = Math.max(end, until)
  }
  return mostMs
}
