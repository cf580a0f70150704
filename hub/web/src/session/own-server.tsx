import type { Session } from '@fernlab/shared/contracts/sessions'
import { Button } from '@mantine/core'
import { IconExternalLink } from '@tabler/icons-react'
import { useWords } from '../words/use-words.ts'
import styles from './session.module.css'

/** The way to the page of a lab's own server, where the work is done. */
export default function OwnServer({ session, takesPart }: { session: Session; takesPart: boolean }) {
  const { t } = useWords()
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
