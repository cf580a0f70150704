import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import styles from './bookings.module.css'

/** The ways between the calendar and one's bookings. */
export function BookingNav() {
  const { t } = useTranslation()
  const item = { activeProps: { 'aria-current': 'page' as const } }
  return (
    <nav className={styles.nav} aria-label={t('booking.everybodyTitle')}>
      <Link to="/calendar" {...item} activeOptions={{ exact: true, includeSearch: false }}>
        {t('booking.calendar')}
      </Link>
      <Link to="/calendar/bookings" {...item} activeOptions={{ includeSearch: false }}>
        {t('booking.title')}
      </Link>
    </nav>
  )
}
