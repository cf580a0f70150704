import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import styles from '../frame/section-nav.module.css'

/** The ways between people, groups and permissions, for staff. */
export function PeopleNav() {
  const { t } = useTranslation()
  const item = { activeProps: { 'aria-current': 'page' as const }, activeOptions: { includeSearch: false } }
  return (
    <nav className={styles.nav} aria-label={t('people.title')}>
      <Link to="/people" {...item} activeOptions={{ exact: true, includeSearch: false }}>
        {t('people.title')}
      </Link>
      <Link to="/people/groups" {...item}>
        {t('groups.title')}
      </Link>
      <Link to="/people/permissions" {...item}>
        {t('permissions.title')}
      </Link>
    </nav>
  )
}
