import type { Me } from '@fernlab/shared/contracts/api'
import { isStaff } from '@fernlab/shared/contracts/people'
import {
  IconBook2,
  IconCalendar,
  IconChartBar,
  IconCpu,
  IconHistory,
  IconSettings,
  IconTopologyStar3,
  IconUser,
  IconUsers,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { FernMark } from '../mark/fern-mark.tsx'
import styles from './frame.module.css'

/** The ways through the hub, at the left; at the bottom on a phone. */
export function Rail({ me }: { me: Me | null }) {
  const { t } = useTranslation()
  const staff = isStaff(me?.role)
  const item = { className: styles.item, activeProps: { className: styles.active, 'aria-current': 'page' as const } }
  return (
    <nav className={styles.rail} aria-label={t('nav.main')}>
      <Link to="/" className={styles.brand}>
        <FernMark size={26} />
        <span>{t('app.name')}</span>
      </Link>
      <Link to="/labs" {...item}>
        <IconBook2 size={20} stroke={1.6} aria-hidden="true" />
        <span>{t('nav.labs')}</span>
      </Link>
      {me === null ? null : (
        <Link to="/runs" {...item}>
          <IconHistory size={20} stroke={1.6} aria-hidden="true" />
          <span>{t('nav.runs')}</span>
        </Link>
      )}
      {me === null || me.role === 'guest' ? null : (
        <Link to="/calendar" {...item}>
          <IconCalendar size={20} stroke={1.6} aria-hidden="true" />
          <span>{t('nav.calendar')}</span>
        </Link>
      )}
      {staff || me?.role === 'builder' ? (
        <>
          <Link to="/benches" {...item}>
            <IconTopologyStar3 size={20} stroke={1.6} aria-hidden="true" />
            <span>{t('nav.benches')}</span>
          </Link>
          <Link to="/nodes" {...item}>
            <IconCpu size={20} stroke={1.6} aria-hidden="true" />
            <span>{t('nav.nodes')}</span>
          </Link>
        </>
      ) : null}
      {staff ? (
        <>
          <Link to="/people" {...item}>
            <IconUsers size={20} stroke={1.6} aria-hidden="true" />
            <span>{t('nav.people')}</span>
          </Link>
          <Link to="/usage" {...item}>
            <IconChartBar size={20} stroke={1.6} aria-hidden="true" />
            <span>{t('nav.usage')}</span>
          </Link>
        </>
      ) : null}
      <span className={styles.fill} />
      {me?.role === 'admin' ? (
        <Link to="/settings" {...item}>
          <IconSettings size={20} stroke={1.6} aria-hidden="true" />
          <span>{t('nav.settings')}</span>
        </Link>
      ) : null}
      <Link to={me === null ? '/sign-in' : '/account'} {...item}>
        <IconUser size={20} stroke={1.6} aria-hidden="true" />
        <span>{me === null ? t('nav.signIn') : t('nav.account')}</span>
      </Link>
    </nav>
  )
}
