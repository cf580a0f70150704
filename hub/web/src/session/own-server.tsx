import type { Session } from '@fernlab/shared/contracts/sessions'
import { Button } from '@mantine/core'
import { IconExternalLink } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useWords } from '../words/use-words.ts'
import styles from './session.module.css'

interface Props {
  readonly session: Session
  readonly takesPart: boolean
  /** Goes there at once, in this tab: labs with weblablib end a session that nobody has come to within seconds. */
  readonly opensItself: boolean
}

/** The way to the page of a lab's own server, where the work is done. */
export default function OwnServer({ session, takesPart, opensItself }: Props) {
  const { t } = useWords()
  const navigate = useNavigate()
  const sessionId = session.id
  useEffect(() => {
    if (opensItself) void navigate({ to: '/sessions/$sessionId/visit', params: { sessionId } })
  }, [opensItself, navigate, sessionId])
  if (!takesPart) return <p className="soft">{t('session.ownServerWatch')}</p>
  return (
    <div className={styles.state}>
      <p>{t('session.ownServerText')}</p>
      <div>
        <Button
          component="a"
          // Its address works once: the tab asks for one of its own.
          href={`/sessions/${session.id}/visit`}
          target="_blank"
          rel="noreferrer"
          rightSection={<IconExternalLink size={18} aria-hidden="true" />}
        >
          {t('session.ownServerOpen')}
        </Button>
      </div>
    </div>
  )
}
