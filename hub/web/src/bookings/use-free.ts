import type { Booking } from '@fernlab/shared/contracts/bookings'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { calendarQuery } from './booking-queries.ts'
import { dayBounds, type FreeSpan, firstFree, freeSpans, quarterFrom, withSpan } from './booking-times.ts'

const weekMs = 7 * 86_400_000

/** The first time within a week at which so long is free, from when the page asked first; undefined while it is not known. */
export function useFirstFree(lab: string, lengthMs: number, places: number): number | undefined {
  const [from] = useState(() => quarterFrom(Date.now()))
  const { data } = useQuery(calendarQuery(useApi(), lab, from, from + weekMs))
  return data && (firstFree(freeSpans(data, places), lengthMs) ?? from)
}

/** What is free, or would be if the booking made room, on the day of the time; undefined while it is not known. */
export function useFreeDay(
  lab: string,
  at: number | undefined,
  timeZone: string,
  places: number,
  moving: Booking | undefined,
): readonly FreeSpan[] | undefined {
  const { from, until } = dayBounds(at ?? 0, timeZone)
  const { data } = useQuery({ ...calendarQuery(useApi(), lab, from, until), enabled: at !== undefined })
  if (data === undefined || at === undefined) return undefined
  const now = quarterFrom(Date.now())
  const free = freeSpans(data, places)
  const own = moving && { from: Date.parse(moving.start), until: Date.parse(moving.end), benches: places }
  return (own === undefined ? free : withSpan(free, own))
    .map((span) => ({ ...span, from: Math.max(span.from, from, now), until: Math.min(span.until, until) }))
    .filter((span) => span.from < span.until)
}
