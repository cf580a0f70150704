import type { Booking } from '@fernlab/shared/contracts/bookings'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { regionOf } from '../language/language.ts'
import { useWords } from '../words/use-words.ts'
import BookingDialog from './booking-dialog.tsx'
import { BookingMark } from './booking-mark.tsx'
import { isOpen } from './booking-queries.ts'
import { spanText } from './booking-times.ts'
import styles from './bookings.module.css'
import { CancelBooking } from './cancel-booking.tsx'
import type { Cancelled } from './cancelled-notice.tsx'
import { useTimeZone } from './time-zone.ts'

export interface BookingsShown {
  readonly bookings: readonly Booking[]
  /** Where they are not all of one person. */
  readonly withPerson: boolean
  readonly onCancelled: (cancelled: Cancelled) => void
}

/** Bookings one a line: state, lab, when, what of it can be done. */
export function BookingList({ bookings, withPerson, onCancelled }: BookingsShown) {
  const { t, text, language, duration, reason } = useWords()
  const [timeZone] = useTimeZone()
  const me = useQuery(meQuery(useApi())).data
  const [changing, setChanging] = useState<Booking>()
  const [cancelling, setCancelling] = useState<Booking>()
  const [again, setAgain] = useState<Booking>()
  return (
    <>
      <ul className={styles.list}>
        {bookings.map((booking) => {
          const own = booking.person.id === me?.id
          const called = text(booking.labTitle) || booking.lab
          const when = spanText(Date.parse(booking.start), Date.parse(booking.end), regionOf(language), timeZone)
          const more = [
            duration(booking.seconds),
            booking.places > 1 ? t('booking.places', { count: booking.places }) : '',
            booking.bench ?? '',
            booking.series === undefined ? '' : t('booking.ofSeries'),
            withPerson || !own ? booking.person.name : '',
            booking.group?.name ?? '',
            booking.note ?? '',
          ].filter((part) => part !== '')
          return (
            <li key={booking.id} className={styles.row} data-state={booking.state}>
              <BookingMark state={booking.state} />
              <span className={styles.what}>
                <Link to="/labs/$labId" params={{ labId: booking.lab }}>
                  {called}
                </Link>
                <span className={styles.when}>{when}</span>
                <span className={styles.more}>{more.join(' · ')}</span>
                {booking.waitReason === undefined ? null : (
                  <span className={styles.trouble}>{reason(booking.waitReason)}</span>
                )}
                {booking.trouble === undefined ? null : <span className={styles.trouble}>{t('booking.noBench')}</span>}
                {booking.cancelReason === undefined ? null : (
                  <span className={styles.trouble}>{t('booking.withdrawn')}</span>
                )}
              </span>
              {isOpen(booking) ? (
                <span className={styles.actions}>
                  {booking.state === 'now' && booking.session !== undefined ? (
                    <LinkButton
                      to="/sessions/$sessionId"
                      params={{ sessionId: booking.session }}
                      size="xs"
                      aria-label={`${t('booking.open')}: ${called}, ${when}`}
                    >
                      {t('booking.open')}
                    </LinkButton>
                  ) : null}
                  {own || isStaff(me?.role) ? (
                    <>
                      <Button
                        size="xs"
                        variant="default"
                        aria-label={`${t('booking.change')}: ${called}, ${when}`}
                        onClick={() => setChanging(booking)}
                      >
                        {t('booking.change')}
                      </Button>
                      <Button
                        size="xs"
                        variant="default"
                        aria-label={`${t('booking.cancel')}: ${called}, ${when}`}
                        onClick={() => setCancelling(booking)}
                      >
                        {t('common.cancel')}
                      </Button>
                    </>
                  ) : null}
                </span>
              ) : me != null && me.role !== 'guest' && (own || (booking.group !== undefined && isStaff(me.role))) ? (
                <span className={styles.actions}>
                  <Button
                    size="xs"
                    variant="default"
                    aria-label={`${t('booking.again')}: ${called}, ${when}`}
                    onClick={() => setAgain(booking)}
                  >
                    {t('booking.again')}
                  </Button>
                </span>
              ) : null}
            </li>
          )
        })}
      </ul>
      {changing === undefined ? null : (
        <BookingDialog booking={changing} onCancelled={onCancelled} onClose={() => setChanging(undefined)} />
      )}
      {again === undefined ? null : <BookingDialog again={again} onClose={() => setAgain(undefined)} />}
      {cancelling === undefined ? null : (
        <CancelBooking booking={cancelling} onCancelled={onCancelled} onClose={() => setCancelling(undefined)} />
      )}
    </>
  )
}
