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
  labs: ['nav.labs', '/labs'],
  runs: ['nav.runs', '/runs'],
  recurring: ['runs.recurring', '/recurring'],
  sessions: ['nav.runs', '/runs'],
  calendar: ['nav.calendar', '/calendar'],
  benches: ['nav.benches', '/benches'],
  nodes: ['nav.nodes', '/nodes'],
  services: ['nav.services', '/services'],
  people: ['nav.people', '/people'],
  usage: ['nav.usage', '/usage'],
  account: ['nav.account', '/account'],
  settings: ['nav.settings', '/settings'],
  audit: ['nav.settings', '/settings'],
} as const

/** Where I am, whose turn it is, whether the hub is reachable. */
export function TopLine({ me }: { me: Me | null }) {
  const { t } = useTranslation()
  const reachable = useReachable()
  const section = useRouterState({ select: (state) => state.location.pathname.split('/')[1] ?? '' })
  const place = usePlace()
  const [word, to] = section in sections ? sections[section as keyof typeof sections] : []
  return (
    <header className={styles.topLine}>
      <Link to="/" className={styles.topMark} aria-label={t('app.name')}>
        <FernMark size={22} />
      </Link>
      <div className={styles.where}>
        {word === undefined ? (
          <span>{t('app.name')}</span>
        ) : place === undefined ? (
          <span>{t(word)}</span>
        ) : (
          <>
            <Link to={to} className={styles.section}>
              {t(word)}
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
