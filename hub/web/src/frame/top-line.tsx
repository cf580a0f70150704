import type { Me } from '@fernlab/shared/contracts/api'
import { IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react'
import { Link, useRouterState } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { useReachable } from '../api/context.tsx'
import { FernMark } from '../mark/fern-mark.tsx'
import { AppearanceMenu } from './appearance-menu.tsx'
import styles from './frame.module.css'
import { usePlace } from './place.tsx'
import { TurnLine } from './turn-line.tsx'

const sections = {
  labs: 'nav.labs',
  runs: 'nav.runs',
  recurring: 'runs.recurring',
  sessions: 'nav.runs',
  calendar: 'nav.calendar',
  benches: 'nav.benches',
  nodes: 'nav.nodes',
  people: 'nav.people',
  account: 'nav.account',
  settings: 'nav.settings',
} as const

/** Where I am, whose turn it is, whether the hub is reachable. */
export function TopLine({ me }: { me: Me | null }) {
  const { t } = useTranslation()
  const reachable = useReachable()
  const section = useRouterState({ select: (state) => state.location.pathname.split('/')[1] ?? '' })
  const place = usePlace()
  const known = section in sections ? (section as keyof typeof sections) : undefined
  return (
    <header className={styles.topLine}>
      <Link to="/" className={styles.topMark} aria-label={t('app.name')}>
        <FernMark size={22} />
      </Link>
      <div className={styles.where}>
        {known === undefined ? (
          <span>{t('app.name')}</span>
        ) : place === undefined ? (
          <span>{t(sections[known])}</span>
        ) : (
          <>
            <Link to={known === 'sessions' ? '/runs' : `/${known}`} className={styles.section}>
              {t(sections[known])}
            </Link>
            <span aria-hidden="true" className={styles.slash}>
              /
            </span>
            <span className={styles.place}>{place}</span>
          </>
        )}
      </div>
      {me === null ? null : <TurnLine person={me.id} />}
      <span className={styles.reach} data-reachable={reachable}>
        {reachable ? (
          <IconPlugConnected size={16} aria-hidden="true" />
        ) : (
          <IconPlugConnectedX size={16} aria-hidden="true" />
        )}
        <span className={styles.reachWord}>{reachable ? t('hub.reachable') : t('hub.unreachable')}</span>
      </span>
      <AppearanceMenu />
    </header>
  )
}
