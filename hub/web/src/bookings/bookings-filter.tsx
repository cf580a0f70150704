import { type BookingWhen, bookingWhens } from '@fernlab/shared/contracts/booking-whens'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import styles from './bookings.module.css'

/** Those to come, the past, the cancelled or the missed. */
export function BookingsFilter({ when }: { when: BookingWhen }) {
  const { t } = useTranslation()
  return (
    <nav className={styles.filter} aria-label={t('booking.which')}>
      {bookingWhens.map((one) => (
        <Link
          key={one}
          to="/calendar/bookings"
          search={({ whose }) => ({
            ...(whose === undefined ? {} : { whose }),
            ...(one === 'to-come' ? {} : { show: one }),
          })}
          replace
          activeOptions={{ exact: true }}
          data-shown={one === when || undefined}
        >
          {t(`booking.when.${one}`)}
        </Link>
      ))}
    </nav>
  )
}
