import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { meQuery, sessionQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './session.module.css'

/** The session with the rest of the time, also for partners; while they look at this, its place in the queue is kept. */
export function NextSession({ id }: { id: string }) {
  const { t } = useWords()
  const api = useApi()
  const me = useQuery(meQuery(api))
  const session = useQuery({ ...sessionQuery(api, id), refetchInterval: 5_000 })
  if (session.data === undefined || session.data.state === 'closed' || me.data == null) return null
  const { state, person } = session.data
  const whose = me.data.id === person.id ? '' : 'Of'
  return (
    <div role="status" className={styles.next}>
      <p>{t(`session.${state === 'waiting' ? 'nextWaits' : 'nextReady'}${whose}`, { name: person.name })}</p>
      <LinkButton to="/sessions/$sessionId" params={{ sessionId: id }}>
        {t(`session.toNext${whose}`)}
      </LinkButton>
    </div>
  )
}
