import { isStaff } from '@fernlab/shared/contracts/people'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { bookingMayQuery } from '../permissions/permission-queries.ts'
import { useWords } from '../words/use-words.ts'
import { nextBookingsQuery } from './booking-queries.ts'

export interface MayBookLab {
  readonly may: boolean
  /** How far ahead, seconds; null: any. */
  readonly aheadS: number | null
  /** Bookings to come at once; null: any. */
  readonly most: number | null
  readonly left: number
  readonly ask: readonly string[]
}

/** What I may book of a lab and what of it is left; undefined for staff, who have no limits, and while it is not known. */
export function useMayBook(lab: string): MayBookLab | undefined {
  const api = useApi()
  const me = useQuery(meQuery(api)).data
  const limited = me != null && !isStaff(me.role)
  const may = useQuery({ ...bookingMayQuery(api, lab), enabled: limited }).data
  const next = useQuery({ ...nextBookingsQuery(api, me?.id ?? ''), enabled: limited }).data
  if (may === undefined || next === undefined) return undefined
  const { mayBook, bookAheadS, mostBookings } = may.gives
  const taken = next.filter((booking) => booking.lab === lab).length
  return {
    may: mayBook,
    aheadS: bookAheadS,
    most: mostBookings,
    left: Math.max(0, (mostBookings ?? 0) - taken),
    ask: may.ask,
  }
}

/** The same in a line. */
export function MayBook({ may }: { may: MayBookLab | undefined }) {
  const { t, duration } = useWords()
  if (may === undefined) return null
  if (!may.may) {
    return <p>{may.ask.length === 0 ? t('booking.mayNot') : t('booking.mayNotAsk', { names: may.ask.join(', ') })}</p>
  }
  const parts = [
    may.aheadS === null ? '' : t('booking.ahead', { time: duration(may.aheadS) }),
    may.most === null ? '' : t('booking.left', { count: may.left, most: may.most }),
  ].filter((part) => part !== '')
  return parts.length === 0 ? null : <p className="soft">{parts.join(' ')}</p>
}
