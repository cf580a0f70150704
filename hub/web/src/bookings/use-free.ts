import { bookableSpans, type FreeSpan, nextSameTime, spansBut } from '@fernlab/shared/contracts/bookable-times'
import type { Booking, Calendar } from '@fernlab/shared/contracts/bookings'
import { isStaff } from '@fernlab/shared/contracts/people'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { calendarQuery, nextBookingsQuery } from './booking-queries.ts'
import { dayBounds, firstFree, quarterFrom } from './booking-times.ts'

const dayMs = 86_400_000
const weekMs = 7 * dayMs
/** A calendar of the hub has no more. */
const furthestMs = 62 * dayMs

/** What is wanted; `bench`: that one alone. */
export interface Wish {
  readonly lab: string
  readonly bench: string | undefined
  readonly places: number
}

interface OwnTime {
  readonly from: number
  readonly until: number
}

/** When one has other bookings; none for staff, who may have several at the same time. */
function useOwnTimes(moving?: Booking): readonly OwnTime[] {
  const api = useApi()
  const me = useQuery(meQuery(api)).data
  const limited = me != null && !isStaff(me.role)
  const { data = [] } = useQuery({ ...nextBookingsQuery(api, me?.id ?? ''), enabled: limited })
  if (!limited) return []
  return data
    .filter(({ id, person }) => person.id === me.id && id !== moving?.id)
    .map(({ start, end }) => ({ from: Date.parse(start), until: Date.parse(end) }))
}

/** The first time within a week at which so long can be booked, from when the page asked first; undefined while it is not known. */
export function useFirstFree({ lab, bench, places }: Wish, lengthMs: number): number | undefined {
  const [from] = useState(() => quarterFrom(Date.now()))
  const { data } = useQuery(calendarQuery(useApi(), { lab, bench, from, to: from + weekMs }))
  const own = useOwnTimes()
  return data && (firstFree(spansBut(bookableSpans(data, { places }), own), lengthMs) ?? from)
}

/**
 * The next time at the same time of day as that of the booking, no further ahead than so many seconds, at which so long
 * can be booked; undefined while it is not known, null where there is none.
 */
export function useSameTime(
  like: Booking | undefined,
  { lab, bench, places }: Wish,
  { lengthMs, timeZone, aheadS }: { lengthMs: number; timeZone: string; aheadS: number | null },
): number | undefined | null {
  const [nowMs] = useState(Date.now)
  const to = nowMs + Math.min(furthestMs, aheadS === null ? furthestMs : aheadS * 1000 + lengthMs)
  const asked = like !== undefined && to > nowMs
  const { data } = useQuery({ ...calendarQuery(useApi(), { lab, bench, from: nowMs, to }), enabled: asked })
  const own = useOwnTimes()
  if (!asked) return null
  if (data === undefined) return undefined
  const spans = spansBut(bookableSpans(data, { places }), own)
  return nextSameTime(spans, { startMs: Date.parse(like.start), lengthMs, nowMs, timeZone }) ?? null
}

/** What can be booked around a day. */
export interface FreeDay extends Pick<Calendar, 'prepareS' | 'cleanUpS'> {
  /** Also those that go on after the day. */
  readonly spans: readonly FreeSpan[]
  /** When one has other bookings. */
  readonly own: readonly OwnTime[]
  /** Of the day. */
  readonly from: number
  readonly until: number
}

/** What can be booked, or could if the booking made room, on the day of the time; undefined while it is not known. */
export function useFreeDay(
  { lab, bench, places }: Wish,
  { at, lengthMs, timeZone }: { at: number | undefined; lengthMs: number; timeZone: string },
  moving: Booking | undefined,
): FreeDay | undefined {
  const { from, until } = dayBounds(at ?? 0, timeZone)
  // To where what begins on the day ends, and a day for the clean-up after it.
  const to = until + (1 + Math.ceil(lengthMs / dayMs)) * dayMs
  const { data } = useQuery({ ...calendarQuery(useApi(), { lab, bench, from, to }), enabled: at !== undefined })
  const own = useOwnTimes(moving)
  if (data === undefined || at === undefined) return undefined
  const { prepareS, cleanUpS } = data
  return { spans: spansBut(bookableSpans(data, { places, moving }), own), own, from, until, prepareS, cleanUpS }
}
