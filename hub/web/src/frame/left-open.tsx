import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useRouterState } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { isSignInNeeded } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import styles from './frame.module.css'
import { LinkButton } from './link-button.tsx'
import { useIsUpdated } from './updated-hub.tsx'

/** What became of a page that was left open: its person's sign-in has ended, or the hub has a newer page. */
export function LeftOpen() {
  const { t } = useTranslation()
  const api = useApi()
  const me = useQuery(meQuery(api))
  const here = useRouterState({ select: (state) => state.location.href })
  const isSignedOut = isSignInNeeded(me.error)
  const isOld = useIsUpdated()
  return (
    <div role="status">
      {isSignedOut ? (
        <div className={styles.lost}>
          <p>
            <strong>{t('hub.signedOut')}</strong> {t('hub.signedOutText')}
          </p>
          <LinkButton to="/sign-in" search={{ next: here }} size="xs" variant="default">
            {t('nav.signIn')}
          </LinkButton>
        </div>
      ) : isOld ? (
        <div className={styles.lost} data-calm>
          <p>
            <strong>{t('hub.updated')}</strong> {t('hub.updatedText')}
          </p>
          <Button size="xs" variant="default" onClick={() => location.reload()}>
            {t('error.reload')}
          </Button>
        </div>
      ) : null}
    </div>
  )
}
