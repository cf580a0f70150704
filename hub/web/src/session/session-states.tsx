import type { Session } from '@fernlab/shared/contracts/sessions'
import { Button, Progress } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { useApi, useReachable } from '../api/context.tsx'
import { runQuery } from '../api/queries.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { asSentence } from '../words/reasons.ts'
import { useNow, useWords } from '../words/use-words.ts'
import { LinkLost } from './link-lost.tsx'
import { opensItself } from './opens-itself.ts'
import styles from './session.module.css'
import { SessionHead } from './session-head.tsx'
import { SessionMark } from './session-mark.tsx'
import { useEnding } from './use-ending.ts'
import type { LiveSession } from './use-session.ts'

const EndDialog = lazy(() => import('./end-dialog.tsx'))

interface Props {
  readonly session: Session
  readonly title: string
}

/** In the queue: the place, about how long, why, and the way out. */
export function WaitingSession({ session, title }: Props) {
  const words = useWords()
  const { t } = words
  const nowMs = useNow(1000)
  const reachable = useReachable()
  const ending = useEnding(session, reachable)
  const [asking, setAsking] = useState(false)
  return (
    <div className={styles.quiet}>
      <SessionHead session={session} title={title}>
        <Button variant="default" onClick={() => setAsking(true)}>
          {t('session.leave')}
        </Button>
      </SessionHead>
      <div className={styles.state}>
        <SessionMark state="waiting" large />
        <p className={styles.turn} aria-live="polite">
          {turn(session, words, nowMs)}
        </p>
        {session.position !== undefined && session.position > 1 ? (
          <p>{t('runPage.before', { count: session.position - 1 })}</p>
        ) : null}
        {session.reason === undefined ? null : <p>{asSentence(words.reason(session.reason))}</p>}
        {session.waitReason === undefined ? null : <p className="soft">{words.reason(session.waitReason)}</p>}
        <p className="soft">{t(opensItself(session) ? 'session.ownServerStay' : 'session.stay')}</p>
        <p className="soft">{t('session.length', { time: words.duration(session.seconds) })}</p>
      </div>
      <Suspense>
        {asking ? (
          <EndDialog
            title={t('session.leaveTitle')}
            confirm={t('session.leave')}
            ending={ending}
            onClose={() => setAsking(false)}
          >
            {t('session.leaveText')}
          </EndDialog>
        ) : null}
      </Suspense>
    </div>
  )
}

function turn(session: Session, { t, about }: ReturnType<typeof useWords>, nowMs: number): string {
  if (session.estimatedStart === undefined) return t('session.noTime')
  const inS = (Date.parse(session.estimatedStart) - nowMs) / 1000
  return t('turn.in', { time: inS < 5 ? t('time.soon') : about(inS) })
}

/** The bench is being made ready. */
export function PreparingSession({ session, title, live }: Props & { live: LiveSession }) {
  const { t } = useWords()
  const run = useQuery({ ...runQuery(useApi(), session.id), refetchInterval: 1_000 })
  const step = run.data?.progress?.step
  const ending = useEnding(session, useReachable())
  return (
    <div className={styles.quiet}>
      <SessionHead session={session} title={title}>
        <Button variant="default" loading={ending.isPending} onClick={ending.end}>
          {t('session.cancel')}
        </Button>
      </SessionHead>
      <LinkLost live={live} session={session} />
      <div className={styles.state}>
        <SessionMark state="preparing" large />
        <p className={styles.turn} aria-live="polite">
          {t('session.preparing')}
        </p>
        <Progress value={100} striped size={4} color="var(--state-waiting)" aria-label={t('session.preparing')} />
        {/* A path such as `steps[3].set` says nothing to a student. */}
        {step === undefined || /[[\].]/.test(step) ? null : <p className="soft">{step}</p>}
        {(run.data?.attempt ?? 1) > 1 ? <p>{t('session.anotherBench')}</p> : null}
        <p className="soft">{t(opensItself(session) ? 'session.ownServerPreparing' : 'session.preparingText')}</p>
        {ending.error === null ? null : <ProblemNotice error={ending.error} />}
      </div>
    </div>
  )
}

/** The bench is being cleaned up for the next. */
export function FinishingSession({ session, title, live }: Props & { live: LiveSession }) {
  const { t, reason } = useWords()
  return (
    <div className={styles.quiet}>
      <SessionHead session={session} title={title} />
      <LinkLost live={live} session={session} />
      <div className={styles.state}>
        <SessionMark state="finishing" large />
        <p className={styles.turn} aria-live="polite">
          {t('session.finishing')}
        </p>
        {session.reason === undefined ? null : <p>{asSentence(reason(session.reason))}</p>}
        <p className="soft">{t('session.finishingText')}</p>
      </div>
    </div>
  )
}
