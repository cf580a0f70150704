import { isStaff } from '@fernlab/shared/contracts/people'
import type { BookingAllowance } from '@fernlab/shared/contracts/permissions'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { bookingMayQuery } from '../permissions/permission-queries.ts'
import { useWords } from '../words/use-words.ts'

export interface MayBookLab extends BookingAllowance {
  readonly ask: readonly string[]
}

/** What I may book of a lab and what of it is left; undefined for staff, who have no limits, and while it is not known. */
export function useMayBook(lab: string | undefined): MayBookLab | undefined {
  const api = useApi()
  const me = useQuery(meQuery(api)).data
  const limited = me != null && !isStaff(me.role)
  const may = useQuery({ ...bookingMayQuery(api, lab ?? ''), enabled: limited && lab !== undefined }).data
  return may === undefined ? undefined : { ...may.booking, ask: may.ask }
}

/** The same in a line. */
export function MayBook({ may }: { may: MayBookLab | undefined }) {
  const { t, duration } = useWords()
  if (may === undefined) return null
  if (!may.may) {
    return <p>{may.ask.length === 0 ? t('booking.mayNot') : t('booking.mayNotAsk', { names: may.ask.join(', ') })}</p>
  }
  const { longestS, aheadS, most, left, dayLeftS, weekLeftS } = may
  const time = (seconds: number) => (seconds === 0 ? t('booking.noTime') : duration(seconds))
  const parts = [
    longestS === null ? '' : t('booking.longest', { time: time(longestS) }),
    aheadS === null ? '' : t('booking.ahead', { time: time(aheadS) }),
    most === null ? '' : t('booking.left', { count: left ?? 0, most }),
    dayLeftS === null ? '' : t('booking.dayLeft', { time: time(dayLeftS) }),
    weekLeftS === null ? '' : t('booking.weekLeft', { time: time(weekLeftS) }),
  ].filter((part) => part !== '')
  return parts.length === 0 ? null : <p className="soft">{parts.join(' ')}</p>
}
