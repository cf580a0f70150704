import type { Booking } from '@fernlab/shared/contracts/bookings'
import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { LinkButton } from '../frame/link-button.tsx'
import { regionOf } from '../language/language.ts'
import { useWords } from '../words/use-words.ts'
import BookingDialog from './booking-dialog.tsx'
import { BookingMark } from './booking-mark.tsx'
import { isOpen } from './booking-queries.ts'
import { spanText } from './booking-times.ts'
import styles from './bookings.module.css'
import { CancelBooking } from './cancel-booking.tsx'
import { useTimeZone } from './time-zone.ts'

interface Props {
  readonly bookings: readonly Booking[]
  /** Where they are not all of one person. */
  readonly withPerson?: boolean
}

/** Bookings one a line: state, lab, when, what of it can be done. */
export function BookingList({ bookings, withPerson = false }: Props) {
  const { t, text, language, duration } = useWords()
  const [timeZone] = useTimeZone()
  const [changing, setChanging] = useState<Booking>()
  const [cancelling, setCancelling] = useState<Booking>()
  return (
    <>
      <ul className={styles.list}>
        {bookings.map((booking) => {
          const called = text(booking.labTitle) || booking.lab
          const when = spanText(Date.parse(booking.start), Date.parse(booking.end), regionOf(language), timeZone)
          const more = [
            duration(booking.seconds),
            booking.places > 1 ? t('booking.places', { count: booking.places }) : '',
            booking.bench ?? '',
            booking.series === undefined ? '' : t('booking.ofSeries'),
            withPerson ? booking.person.name : '',
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
                {booking.trouble === undefined ? null : <span className={styles.trouble}>{t('booking.noBench')}</span>}
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
                </span>
              ) : null}
            </li>
          )
        })}
      </ul>
      {changing === undefined ? null : <BookingDialog booking={changing} onClose={() => setChanging(undefined)} />}
      {cancelling === undefined ? null : (
        <CancelBooking booking={cancelling} onClose={() => setCancelling(undefined)} />
      )}
    </>
  )
}
