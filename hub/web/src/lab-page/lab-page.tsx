import type { PageState } from '@fernlab/shared/contracts/lab-page'
import type { Session, SessionPage } from '@fernlab/shared/contracts/sessions'
import { Button } from '@mantine/core'
import { IconArrowsMaximize, IconArrowsMinimize, IconReload } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import type { PanelBench } from '../panel/panel-context.tsx'
import { TimeLeft } from '../session/time-left.tsx'
import type { LiveSession } from '../session/use-session.ts'
import { useWords } from '../words/use-words.ts'
import styles from './lab-page.module.css'
import { useLabPage } from './use-lab-page.ts'

interface Props {
  readonly session: Session
  /** What the lab is called. */
  readonly title: string
  readonly live: LiveSession
  readonly bench: PanelBench
  readonly role: PageState['role']
  /** Stop, which is at hand also when the page fills the screen. */
  readonly stop: ReactNode
  /** Shows the panel instead, where there is one. */
  readonly toPanel: (() => void) | undefined
}

/** The lab's own page in its frame, which is a stranger here: of no origin, and without a way to anything around it. */
export default function LabPage({ session, title, live, bench, role, stop, toPanel }: Props) {
  const { t } = useWords()
  const api = useApi()
  const address = useQuery({
    queryKey: ['sessions', 'page', session.id],
    queryFn: ({ signal }) => api.get<SessionPage>(`/api/v1/sessions/${session.id}/page`, signal),
    // Another address would be another frame.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })
  const frame = useRef<HTMLIFrameElement>(null)
  const shell = useRef<HTMLDivElement>(null)
  const afterId = useId()
  // Each answer is another frame, also one with the same address.
  const key = address.dataUpdatedAt
  const { height, answers } = useLabPage({ session, live, bench, role, frame, load: key })
  const isWhole = useIsWhole(shell)
  const reload = () => void address.refetch()
  return (
    <section aria-label={t('session.page.of', { title })}>
      <a className={styles.skip} href={`#${afterId}`}>
        {t('session.page.skip')}
      </a>
      {address.error !== null ? (
        <ProblemNotice error={address.error} onRetry={reload} />
      ) : answers ? null : (
        <p role="alert" className={styles.silent}>
          {t('session.page.silent')}{' '}
          {toPanel === undefined ? t('session.page.silentAlone') : t('session.page.silentPanel')}
        </p>
      )}
      <div ref={shell} className={styles.shell}>
        {isWhole ? (
          <div className={styles.bar}>
            <TimeLeft session={session} endsAtMs={live.endsAtMs} />
            {stop}
            <Button
              variant="default"
              leftSection={<IconArrowsMinimize size={18} aria-hidden="true" />}
              onClick={() => void document.exitFullscreen()}
            >
              {t('session.page.notWhole')}
            </Button>
          </div>
        ) : null}
        {address.data === undefined ? (
          address.error === null ? (
            <Loading />
          ) : null
        ) : (
          <iframe
            key={key}
            ref={frame}
            className={styles.frame}
            title={t('session.page.of', { title })}
            sandbox="allow-scripts"
            allow=""
            referrerPolicy="no-referrer"
            src={address.data.url}
            style={height === undefined || isWhole ? undefined : { height }}
          />
        )}
      </div>
      <div id={afterId} className={styles.tools} tabIndex={-1}>
        {document.fullscreenEnabled ? (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconArrowsMaximize size={16} aria-hidden="true" />}
            onClick={() => void shell.current?.requestFullscreen()}
          >
            {t('session.page.whole')}
          </Button>
        ) : null}
        <Button
          size="xs"
          variant="default"
          loading={address.isFetching}
          leftSection={<IconReload size={16} aria-hidden="true" />}
          onClick={reload}
        >
          {t('session.page.reload')}
        </Button>
        {toPanel === undefined ? null : (
          <Button size="xs" variant="default" onClick={toPanel}>
            {t('session.page.toPanel')}
          </Button>
        )}
      </div>
    </section>
  )
}

/** Whether the element fills the screen. */
function useIsWhole(element: { readonly current: HTMLElement | null }): boolean {
  const [isWhole, setIsWhole] = useState(false)
  useEffect(() => {
    const look = () => setIsWhole(document.fullscreenElement !== null && document.fullscreenElement === element.current)
    document.addEventListener('fullscreenchange', look)
    return () => document.removeEventListener('fullscreenchange', look)
  }, [element])
  return isWhole
}
