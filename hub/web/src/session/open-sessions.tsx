import type { Session } from '@fernlab/shared/contracts/sessions'
import { IconEye } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useApi } from '../api/context.tsx'
import { openSessionsQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { Loading } from '../notices/loading.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './session.module.css'
import { SessionMark } from './session-mark.tsx'

interface Props {
  readonly group?: string
  /** What stands below; it waits for what comes above it, which would push it down. */
  readonly children?: ReactNode
}

/** For staff, or instructors of the group: the sessions that are not over, each with the way to watch it; else nothing. */
export default function OpenSessions({ group, children }: Props) {
  const { t, text } = useWords()
  const sessions = useQuery(openSessionsQuery(useApi(), group))
  const open = sessions.data?.items ?? []
  if (sessions.data === undefined && sessions.failureCount === 0) return children === undefined ? null : <Loading />
  if (open.length === 0) return children
  const called = (session: Session) => text(session.labTitle) || session.lab
  return (
    <>
      <section className={styles.recorded} aria-labelledby="open-sessions">
        <h2 id="open-sessions">{t('session.open')}</h2>
        <ul className={styles.open}>
          {open.map((session) => (
            <li key={session.id}>
              <SessionMark state={session.state} />
              <span>
                <b>{called(session)}</b> {session.person.name}
              </span>
              <code>{session.bench ?? ''}</code>
              <LinkButton
                to="/sessions/$sessionId"
                params={{ sessionId: session.id }}
                size="xs"
                variant="default"
                leftSection={<IconEye size={16} aria-hidden="true" />}
                aria-label={`${t('session.watch')}: ${called(session)}, ${session.person.name}`}
              >
                {t('session.watch')}
              </LinkButton>
            </li>
          ))}
        </ul>
      </section>
      {children}
    </>
  )
}
