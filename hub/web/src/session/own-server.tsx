import type { Session } from '@fernlab/shared/contracts/sessions'
import { Button } from '@mantine/core'
import { IconExternalLink } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './session.module.css'

/** The way to the page of a lab's own server, where the work is done. */
export default function OwnServer({ session, takesPart }: { session: Session; takesPart: boolean }) {
  const { t } = useWords()
  const api = useApi()
  const page = useQuery({
    queryKey: ['session', session.id, 'visit'],
    queryFn: () => api.send<{ url: string }>('POST', `/api/v1/sessions/${session.id}/visit`),
    enabled: takesPart,
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (!takesPart) return <p className="soft">{t('session.ownServerWatch')}</p>
  return (
    <div className={styles.state}>
      <p>{t('session.ownServerText')}</p>
      {page.data !== undefined ? (
        <div>
          <Button
            component="a"
            href={page.data.url}
            target="_blank"
            rel="noreferrer"
            rightSection={<IconExternalLink size={18} aria-hidden="true" />}
          >
            {t('session.ownServerOpen')}
          </Button>
        </div>
      ) : page.error !== null ? (
        <ProblemNotice error={page.error} onRetry={() => void page.refetch()} />
      ) : (
        <Loading lines={1} />
      )}
    </div>
  )
}
