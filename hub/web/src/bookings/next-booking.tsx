import type { Booking } from '@fernlab/shared/contracts/bookings'
import { IconCalendarEvent } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import styles from '../frame/frame.module.css'
import { useNow, useWords } from '../words/use-words.ts'
import { nextBookingsQuery } from './booking-queries.ts'

/** Sooner than this it is worth a line on every page. */
const soonMs = 3 * 3_600_000

/** In the line at the top: the booking that is on, or that begins soon. */
export default function NextBooking({ person }: { person: string }) {
  const words = useWords()
  const nowMs = useNow(10_000)
  const next = useQuery(nextBookingsQuery(useApi(), person)).data?.find(
    ({ start, end }) => Date.parse(end) > nowMs && Date.parse(start) < nowMs + soonMs,
  )
  if (next === undefined) return null
  return (
    <Link {...placeOf(next)} className={styles.turnLink} data-tone={Date.parse(next.start) <= nowMs ? 'free' : 'quiet'}>
      <IconCalendarEvent size={16} aria-hidden="true" />
      <span>{saying(next, words, nowMs)}</span>
    </Link>
  )
}

/** Where the person goes: of a group's booking nothing opens by itself, its people queue at the lab. */
function placeOf({ session, group, lab, state }: Booking) {
  if (session !== undefined) return { to: '/sessions/$sessionId', params: { sessionId: session } } as const
  if (group !== undefined && state === 'now') return { to: '/labs/$labId', params: { labId: lab } } as const
  return { to: '/calendar/bookings' } as const
}

function saying(booking: Booking, { t, text, duration }: ReturnType<typeof useWords>, nowMs: number): string {
  const lab = text(booking.labTitle) || booking.lab
  const inS = (Date.parse(booking.start) - nowMs) / 1000
  return inS <= 0 ? t('turn.booked', { lab }) : t('turn.booking', { lab, time: duration(inS) })
}
