import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Outlet, useRouterState } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { UnsavedForms } from '../notices/unsaved.tsx'
import styles from './frame.module.css'
import { LeftOpen } from './left-open.tsx'
import { LostBanner } from './lost-banner.tsx'
import { Rail } from './rail.tsx'
import { TopLine } from './top-line.tsx'

/** What surrounds every page: the rail, the top line, the notice when the hub is out of reach. */
export function Frame({ children }: { children?: ReactNode }) {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const me = useQuery(meQuery(api))
  const path = useRouterState({ select: (state) => state.location.pathname })
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)

  // After a change of page, a screen reader starts at the new page and not where the old one left off.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what changes
  useEffect(() => {
    if (first.current) first.current = false
    else main.current?.focus({ preventScroll: true })
  }, [path])

  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#main">
        {t('app.skip')}
      </a>
      <Rail me={me.data} />
      <div className={styles.column}>
        <TopLine me={me.data ?? null} />
        <LostBanner onRetry={() => void client.refetchQueries({ type: 'active' })} />
        <LeftOpen />
        <main id="main" ref={main} tabIndex={-1} className={styles.main}>
          <UnsavedForms>{children ?? <Outlet />}</UnsavedForms>
        </main>
      </div>
    </div>
  )
}
