import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { useWords } from '../words/use-words.ts'
import type { Band, Offer } from './calendar-capacity.ts'

type Words = ReturnType<typeof useWords>

/** What an hour offers, as a person says it; `benches` of the lab in all. */
export function offerText({ kind, benches: free, reason }: Offer, benches: number, words: Words): string {
  const { t } = words
  if (kind === 'past') return t('booking.over')
  if (kind === 'unknown') return t('error.loading')
  if (kind === 'partly') return t('booking.partly')
  return bandText({ kind, benches: free, ...(reason === undefined ? {} : { reason }) }, benches, words)
}

/** The same of a stretch. */
export function bandText(
  { kind, benches: free, reason = '' }: Pick<Band, 'kind' | 'benches' | 'reason'>,
  benches: number,
  { t }: Words,
): string {
  if (kind === 'taken') return t('booking.full')
  if (kind === 'closed') return t('booking.closed', { reason })
  return benches === 1 ? t('booking.free') : t('booking.freeOf', { count: free, benches })
}

/** Whose a booking is, or of which lab where it is of another than the calendar's. */
export function bookingText(booking: Booking, lab: string, me: string, { t, text }: Words): string {
  if (booking.lab !== lab) return text(booking.labTitle) || booking.lab
  const who = booking.person.id === me ? t('booking.yours') : booking.person.name
  return booking.places > 1 ? `${who}, ${t('booking.places', { count: booking.places })}` : who
}
