import { isStaff } from '@fernlab/shared/contracts/people'
import type { Session } from '@fernlab/shared/contracts/sessions'
import { Button } from '@mantine/core'
import { IconClockPlus, IconHandStop } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useMemo, useState } from 'react'
import { useApi, useReachable } from '../api/context.tsx'
import { labQuery, meQuery, sessionQuery } from '../api/queries.ts'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { Panel } from '../panel/panel.tsx'
import { type PanelBench, PanelProvider } from '../panel/panel-context.tsx'
import { actionTitle, named, signalColours, signalsOf } from '../panel/signals.ts'
import { useWords } from '../words/use-words.ts'
import { BumpedNotice } from './bumped-notice.tsx'
import { Chat } from './chat.tsx'
import { Hands } from './hands.tsx'
import { LinkLost } from './link-lost.tsx'
import { opensItself } from './opens-itself.ts'
import styles from './session.module.css'
import { SessionHead } from './session-head.tsx'
import { TimeLeft } from './time-left.tsx'
import { useEnding } from './use-ending.ts'
import type { LiveSession } from './use-session.ts'
import { cameraPath, webSocketUrl } from './wire.ts'

const EndDialog = lazy(() => import('./end-dialog.tsx'))
const OwnServer = lazy(() => import('./own-server.tsx'))
const LabPage = lazy(() => import('../lab-page/lab-page.tsx'))

interface Props {
  readonly session: Session
  readonly title: string
  readonly live: LiveSession
  /** This page was open before the session began. */
  readonly wasAwaited: boolean
}

/** The bench in one's hand: its panel, the time left, who else is there, and the way to stop. */
export function ActiveSession({ session, title, live, wasAwaited }: Props) {
  const { t } = useWords()
  const reachable = useReachable()
  const me = useQuery(meQuery(useApi())).data ?? undefined
  const ending = useEnding(session, reachable && live.connected)
  const [asking, setAsking] = useState(false)
  const [wantsPanel, setWantsPanel] = useState(false)
  const control = live.control ?? session.control ?? session.person
  const isMine = control.id === me?.id
  const isOwner = session.person.id === me?.id
  const bench = usePanelBench(session, live, isMine && live.connected && !ending.waits)
  const isPartner = session.partners.some(({ id }) => id === me?.id)
  const mayEnd = isOwner || isStaff(me?.role) || (isPartner && isMine)
  const stop = mayEnd ? (
    <Button
      color="red"
      loading={ending.isPending}
      leftSection={<IconHandStop size={18} aria-hidden="true" />}
      onClick={ending.end}
    >
      {t('session.stop')}
    </Button>
  ) : null
  return (
    <div className={styles.session}>
      <SessionHead session={session} title={title} below={<TimeLeft session={session} endsAtMs={live.endsAtMs} />}>
        {isOwner && session.bumpedAt === undefined ? <Extend session={session} ready={live.connected} /> : null}
        {stop === null ? null : (
          <>
            <Button variant="default" onClick={() => setAsking(true)}>
              {t('session.finish')}
            </Button>
            {stop}
          </>
        )}
      </SessionHead>
      <LinkLost live={live} session={session} />
      <BumpedNotice session={session} />
      {ending.waits ? (
        <p role="alert" className={styles.stopping}>
          {t('session.stopWaits')}
        </p>
      ) : null}
      {ending.error === null ? null : <ProblemNotice error={ending.error} />}
      <Hands session={session} live={live} control={control} me={me} />
      {session.ownServer === true ? (
        <Suspense>
          <OwnServer
            session={session}
            takesPart={isOwner || isPartner}
            opensItself={isOwner && wasAwaited && opensItself(session)}
          />
        </Suspense>
      ) : null}
      {session.page === true && !wantsPanel ? (
        <Suspense fallback={<Loading />}>
          <LabPage
            session={session}
            title={title}
            live={live}
            bench={bench}
            role={isOwner ? 'owner' : isPartner ? 'partner' : 'observer'}
            stop={stop}
            toPanel={session.panel === undefined ? undefined : () => setWantsPanel(true)}
          />
        </Suspense>
      ) : session.panel === undefined ? (
        session.ownServer === true ? null : (
          <p className="soft">{t('session.noPanel')}</p>
        )
      ) : (
        <PanelProvider value={bench}>
          <Panel panel={session.panel} />
        </PanelProvider>
      )}
      {session.page === true && wantsPanel ? (
        <div>
          <Button size="xs" variant="default" onClick={() => setWantsPanel(false)}>
            {t('session.page.back')}
          </Button>
        </div>
      ) : null}
      <Chat live={live} me={me} />
      <Suspense>
        {asking ? (
          <EndDialog
            title={t('session.finishTitle')}
            confirm={t('session.finish')}
            ending={ending}
            onClose={() => setAsking(false)}
          >
            {isOwner ? t('session.finishText') : t('session.finishTextOf', { name: session.person.name })}
          </EndDialog>
        ) : null}
      </Suspense>
    </div>
  )
}

/** The bench as its widgets know it. */
function usePanelBench(session: Session, live: LiveSession, ready: boolean): PanelBench {
  const lab = useQuery({ ...labQuery(useApi(), session.lab), refetchInterval: false })
  const { text } = useWords()
  const parts = lab.data?.parts
  const { panel } = session
  const signals = useMemo(() => {
    const known = signalsOf(parts ?? {})
    return panel === undefined ? known : named(known, panel, text)
  }, [parts, panel, text])
  const colours = useMemo(
    () => (panel === undefined ? new Map<string, number>() : signalColours(panel, signals)),
    [panel, signals],
  )
  const { store, commands, call } = live
  return useMemo(
    () => ({
      store,
      signals,
      colours,
      commands,
      ready,
      titleOf: (action) => actionTitle(parts ?? {}, action),
      cameraUrl: (part) => webSocketUrl(cameraPath(session.id, part)),
      set: async (values) => {
        await call('set', { values })
        store.askedFor(values)
      },
      call: async (action, args) => {
        await call('call', { action, arguments: args })
      },
    }),
    [store, signals, colours, commands, ready, parts, session.id, call],
  )
}

/** No single extension is longer. */
const mostAtOnceS = 300

function Extend({ session, ready }: { session: Session; ready: boolean }) {
  const words = useWords()
  const { t } = words
  const api = useApi()
  const client = useQueryClient()
  const more = Math.min(mostAtOnceS, session.mostSeconds - session.seconds)
  const extend = useMutation({
    mutationFn: () => {
      // In all, so that pressing again after a lost answer makes it no longer still.
      const total = session.seconds + more
      return api.send<Session>('POST', `/api/v1/sessions/${session.id}/extend`, { total })
    },
    onSuccess: (next) => client.setQueryData(sessionQuery(api, session.id).queryKey, next),
  })
  const why = extend.error
  if (more < 1) return null
  return (
    <>
      <Button
        variant="default"
        disabled={!ready}
        loading={extend.isPending}
        leftSection={<IconClockPlus size={18} aria-hidden="true" />}
        onClick={() => extend.mutate()}
      >
        {t('session.extend', { time: words.duration(more) })}
      </Button>
      {why === null ? null : (
        <div className={styles.problem}>
          <ProblemNotice error={why} />
        </div>
      )}
    </>
  )
}
