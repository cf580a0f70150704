/** What the people of a booking are told, as rows in the write of what it tells of, and how each reads and puts it away. */
import type { BookingNotice, BookingNoticeKind } from '@fernlab/shared/contracts/booking-notices'
import { newId } from '@fernlab/shared/primitives/ids'
import { namesOf } from '../accounts/names-of.ts'
import type { KnownLabs } from '../runs/known-labs.ts'
import type { Store } from '../store/store.ts'
import type { KnownBooking } from './booking-book.ts'

/** What a row keeps besides; times in epoch ms. */
export interface NoticeDetail {
  readonly lab: string
  readonly startsAt: number
  readonly endsAt: number
  readonly places: number
  /** The bench that was asked for. */
  readonly bench?: string
  readonly before?: { readonly startsAt: number; readonly endsAt: number }
  readonly times?: number
  /** Id of who of the staff did it. */
  readonly by?: string
  readonly reason?: string
}

export interface NewNotice {
  readonly id: string
  readonly bookingId: string
  readonly personId: string | null
  readonly groupId: string | null
  readonly what: BookingNoticeKind
  readonly at: number
  readonly detail: string
  readonly letter: 'spread' | 'due'
}

export type Told = Pick<NoticeDetail, 'before' | 'times' | 'by' | 'reason'> & {
  readonly what: BookingNoticeKind
  readonly at: number
}

const detailOf = (booking: KnownBooking, more: Omit<Told, 'what' | 'at'>): string => {
  const { lab, startsAt, endsAt, places, wantedBench } = booking
  const bench = wantedBench === null ? {} : { bench: wantedBench }
  const detail: NoticeDetail = { lab, startsAt, endsAt, places, ...bench, ...more }
  return JSON.stringify(detail)
}

/** What rows have in common for people who are named elsewhere. */
export const againOf = (booking: KnownBooking, { what, at, ...more }: Told) =>
  ({ id: newId(at), bookingId: booking.id, what, at, detail: detailOf(booking, more) }) as const

/** A row for whoever has the booking, and one for the group that may use it; whoever did it needs none. */
export function noticesOf(booking: KnownBooking, { what, at, ...more }: Told): NewNotice[] {
  const { id: bookingId, personId, group } = booking
  const row = () => ({ id: newId(at), bookingId, what, at, detail: detailOf(booking, more) })
  return [
    ...(personId === more.by ? [] : [{ ...row(), personId, groupId: null, letter: 'due' as const }]),
    ...(group === null ? [] : [{ ...row(), personId: null, groupId: group, letter: 'spread' as const }]),
  ]
}

export interface BookingNotices {
  /** What the person has not put away, the newest first. */
  of(personId: string): Promise<BookingNotice[]>
  /** Puts it away; false where the person has no such notice. */
  putAway(personId: string, id: string): Promise<boolean>
}

export interface BookingNoticesOptions {
  readonly store: Store
  readonly labs: Pick<KnownLabs, 'peek'>
  readonly clock: { now(): number }
}

const mostShown = 50
const iso = (ms: number): string => new Date(ms).toISOString()

/** Over the rows in the store. */
export function createBookingNotices({ store, labs, clock }: BookingNoticesOptions): BookingNotices {
  const { db } = store

  return {
    of: async (personId) => {
      const rows = await db
        .selectFrom('booking_notice')
        .select(['id', 'what', 'at', 'booking_id', 'detail'])
        .where('person_id', '=', personId)
        .where('read_at', 'is', null)
        .orderBy('id', 'desc')
        .limit(mostShown)
        .execute()
      const read = rows.map(({ detail, ...row }) => ({ ...row, ...(JSON.parse(detail) as NoticeDetail) }))
      const names = await namesOf(store, [...new Set(read.flatMap(({ by }) => by ?? []))])
      return read.map(({ id, what, at, booking_id, lab, startsAt, endsAt, before, times, by, reason }) => {
        const title = labs.peek(lab)?.lab.title
        const name = by === undefined ? undefined : names.get(by)
        return {
          id,
          what,
          at: iso(at),
          booking: booking_id,
          lab,
          ...(title === undefined ? {} : { labTitle: title }),
          start: iso(startsAt),
          end: iso(endsAt),
          ...(before === undefined ? {} : { before: { start: iso(before.startsAt), end: iso(before.endsAt) } }),
          ...(times === undefined ? {} : { times }),
          ...(name === undefined ? {} : { by: name }),
          ...(reason === undefined ? {} : { reason }),
        }
      })
    },
    putAway: async (personId, id) => {
      const mine = await db
        .selectFrom('booking_notice')
        .select('id')
        .where('id', '=', id)
        .where('person_id', '=', personId)
        .executeTakeFirst()
      if (mine === undefined) return false
      const put = db.updateTable('booking_notice').set({ read_at: clock.now() }).where('id', '=', id)
      await store.write([put.where('read_at', 'is', null)])
      return true
    },
  }
}
