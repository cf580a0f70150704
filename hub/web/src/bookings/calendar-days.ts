/** Days of a calendar in a time zone, hour by hour, right also where the clocks change. Pure. */
import { instantOf, type LocalTime, localTime, plusDays, weekdayOf } from '@fernlab/shared/primitives/zoned-time'

/** Epoch ms, the end not included. */
interface Span {
  readonly from: number
  readonly until: number
}

/** An hour that the clocks show; shorter where they change within it. */
export interface Hour extends Span {
  /** Of the clock, 0 to 23. */
  readonly hour: number
  /** The clocks show it a second time. */
  readonly again: boolean
}

export interface Day extends Span {
  /** As `2026-11-26`. */
  readonly id: string
  /** 23 or 25 of them when the clocks change. */
  readonly hours: readonly Hour[]
}

/** A line of a calendar's hours; a day whose clocks skip it leaves it empty. */
export type Line = Pick<Hour, 'hour' | 'again'>

const minuteMs = 60_000
const two = (value: number) => String(value).padStart(2, '0')

const idOf = ({ year, month, day }: LocalTime): string => `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`

/** The day that the zone's calendar shows then. */
export const dayAt = (ms: number, timeZone: string): LocalTime => ({ ...localTime(ms, timeZone), minute: 0 })

/** The Monday of the day's week. */
export const mondayOf = (day: LocalTime): LocalTime => plusDays(day, 1 - weekdayOf(day))

/** So many days from the first on. */
export const daysFrom = (first: LocalTime, count: number, timeZone: string): Day[] =>
  Array.from({ length: count }, (_, after) => dayWithHours(plusDays(first, after), timeZone))

/** The id of the day so many days later. */
export const idAfter = (day: LocalTime, days: number): string => idOf(plusDays(day, days))

function dayWithHours(day: LocalTime, timeZone: string): Day {
  const from = instantOf(day, timeZone, 'first')
  const until = instantOf(plusDays(day, 1), timeZone, 'first')
  const hours: Hour[] = []
  let at = from
  while (at < until) {
    const { minute } = localTime(at, timeZone)
    const hour = Math.floor(minute / 60)
    const end = Math.min(at + (60 - (minute % 60)) * minuteMs, until)
    hours.push({ hour, again: hours.some((earlier) => earlier.hour === hour), from: at, until: end })
    at = end
  }
  return { id: idOf(day), from, until, hours }
}

const isBefore = (a: Line, b: Line): number => a.hour - b.hour || Number(a.again) - Number(b.again)

/** The lines that all of the days need: an hour that one of them has twice is there twice. */
export function linesOf(days: readonly Day[]): Line[] {
  const lines = new Map<string, Line>()
  for (const { hours } of days) {
    for (const { hour, again } of hours) lines.set(`${hour} ${again}`, { hour, again })
  }
  return [...lines.values()].sort(isBefore)
}

/** How many lines below the top of the day's column the moment is. */
export function heightAt(day: Day, lines: readonly Line[], ms: number): number {
  const hour = day.hours.find(({ from, until }) => from <= ms && ms < until)
  if (hour === undefined) return ms < day.from ? 0 : lines.length
  const line = lines.findIndex((one) => one.hour === hour.hour && one.again === hour.again)
  return line + (ms - hour.from) / (60 * minuteMs)
}

/** Those that overlap side by side: the lane of each, and how many lanes there are where it is. */
export function inLanes<Item extends Span>(items: readonly Item[]): { item: Item; lane: number; lanes: number }[] {
  const placed: { item: Item; lane: number; cluster: { lanes: number } }[] = []
  let ends: number[] = []
  let cluster = { lanes: 0 }
  for (const item of [...items].sort((a, b) => a.from - b.from || b.until - a.until)) {
    if (ends.every((end) => end <= item.from)) {
      ends = []
      cluster = { lanes: 0 }
    }
    const free = ends.findIndex((end) => end <= item.from)
    const lane = free === -1 ? ends.length : free
    ends[lane] = item.until
    cluster.lanes = Math.max(cluster.lanes, ends.length)
    placed.push({ item, lane, cluster })
  }
  return placed.map((one) => ({ item: one.item, lane: one.lane, lanes: one.cluster.lanes }))
}
