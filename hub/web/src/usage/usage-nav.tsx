import { Link } from '@tanstack/react-router'
import styles from '../frame/section-nav.module.css'
import { useWords } from '../words/use-words.ts'
import { dayAt } from './period.ts'
import type { UsesSearch } from './uses-queries.ts'

/** The ways between the views of usage and the single uses, of the same course and days. */
export function UsageNav({ search: { course, from, until } }: { search: UsesSearch }) {
  const { t } = useWords()
  const item = {
    activeProps: { 'aria-current': 'page' as const },
    activeOptions: { exact: true, includeSearch: false },
  }
  const ofCourse = course === undefined ? {} : { course }
  const [first, last] = [dayAt(from), dayAt(until)]
  const isPeriod = from !== undefined && until !== undefined && first !== undefined && last !== undefined
  return (
    <nav className={styles.nav} aria-label={t('usage.title')}>
      <Link to="/usage" search={{ ...ofCourse, ...(isPeriod ? { from, until } : {}) }} {...item}>
        {t('uses.overview')}
      </Link>
      <Link
        to="/usage/uses"
        search={{ ...ofCourse, ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) }}
        {...item}
      >
        {t('uses.title')}
      </Link>
      <Link
        to="/usage/direct"
        search={{ ...ofCourse, ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) }}
        {...item}
      >
        {t('direct.title')}
      </Link>
    </nav>
  )
}
