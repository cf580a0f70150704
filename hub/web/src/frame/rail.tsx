import type { Me } from '@fernlab/shared/contracts/api'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Menu } from '@mantine/core'
import {
  IconAddressBook,
  IconBook2,
  IconCalendar,
  IconChartBar,
  IconCpu,
  IconDots,
  IconHistory,
  IconSettings,
  IconTopologyStar3,
  IconUser,
  IconUsers,
} from '@tabler/icons-react'
import { Link, useLocation } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { FernMark } from '../mark/fern-mark.tsx'
import styles from './frame.module.css'

/** What a thumb can tell apart at the bottom of a phone. */
const mostAtBottom = 5

/**
 * The ways through the hub, at the left; at the bottom on a phone, where what has no room is behind one more entry.
 * While nobody has said who one is, neither a person's ways are there nor a stranger's.
 */
export function Rail({ me }: { me: Me | null | undefined }) {
  const { t } = useTranslation()
  const ways = waysOf(me)
  const path = useLocation({ select: ({ pathname }) => pathname })
  const atBottom = ways.length > mostAtBottom ? mostAtBottom - 1 : mostAtBottom
  return (
    <nav className={styles.rail} aria-label={t('nav.main')}>
      <Link to="/" className={styles.brand}>
        <FernMark size={26} />
        <span>{t('app.name')}</span>
      </Link>
      {ways.map(({ to, word, Icon, last }, at) => (
        <Link
          key={to}
          to={to}
          className={`${styles.item} ${to === '/runs' && isRecurring(path) ? styles.active : ''}`}
          aria-current={to === '/runs' && isRecurring(path) ? 'page' : undefined}
          activeProps={{ className: styles.active, 'aria-current': 'page' }}
          data-last={last}
          data-beyond={at >= atBottom || undefined}
        >
          <Icon size={20} stroke={1.6} aria-hidden="true" />
          <span>{t(word)}</span>
        </Link>
      ))}
      {ways.length > mostAtBottom ? <More ways={ways.slice(atBottom)} /> : null}
    </nav>
  )
}

/** Runs that recur stand with the runs. */
const isRecurring = (path: string): boolean => path.startsWith('/recurring')

function More({ ways }: { ways: readonly Way[] }) {
  const { t } = useTranslation()
  const path = useLocation({ select: ({ pathname }) => pathname })
  const isHere = (to: string) => path === to || path.startsWith(`${to}/`)
  const isAmong = ways.some(({ to }) => isHere(to))
  const className = `${styles.item} ${styles.more} ${isAmong ? styles.active : ''}`
  return (
    <Menu position="top-end" width={220}>
      <Menu.Target>
        <button type="button" className={className} aria-current={isAmong || undefined}>
          <IconDots size={20} stroke={1.6} aria-hidden="true" />
          <span>{t('nav.more')}</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {ways.map(({ to, word, Icon }) => (
          <Menu.Item
            key={to}
            component={Link}
            to={to}
            leftSection={<Icon size={18} stroke={1.6} aria-hidden="true" />}
            aria-current={isHere(to) ? 'page' : undefined}
          >
            {t(word)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

type Way = ReturnType<typeof waysOf>[number]

function waysOf(me: Me | null | undefined) {
  const staff = isStaff(me?.role)
  const tends = staff || me?.role === 'builder'
  const ways = [
    { to: '/labs', word: 'nav.labs', Icon: IconBook2, shown: true },
    { to: '/runs', word: 'nav.runs', Icon: IconHistory, shown: me != null },
    { to: '/calendar', word: 'nav.calendar', Icon: IconCalendar, shown: me != null && me.role !== 'guest' },
    { to: '/benches', word: 'nav.benches', Icon: IconTopologyStar3, shown: tends },
    { to: '/nodes', word: 'nav.nodes', Icon: IconCpu, shown: tends },
    { to: '/services', word: 'nav.services', Icon: IconAddressBook, shown: tends },
    { to: '/people', word: 'nav.people', Icon: IconUsers, shown: staff },
    { to: '/usage', word: 'nav.usage', Icon: IconChartBar, shown: staff },
    { to: '/settings', word: 'nav.settings', Icon: IconSettings, shown: me?.role === 'admin' },
    { to: '/account', word: 'nav.account', Icon: IconUser, shown: me != null },
    { to: '/sign-in', word: 'nav.signIn', Icon: IconUser, shown: me === null },
  ] as const
  const shown = ways.filter((way) => way.shown)
  // On a desk the ways to the work are at the top, those to settings and account at the bottom.
  const firstLast = shown.findIndex(({ to }) => to === '/settings' || to === '/account' || to === '/sign-in')
  return shown.map((way, at) => ({ ...way, last: at === firstLast || undefined }))
}
