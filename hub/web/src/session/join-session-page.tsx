import type { Session } from '@fernlab/shared/contracts/sessions'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { meQuery, sessionQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useLinkToken } from '../sign-in/use-link-token.ts'
import { useWords } from '../words/use-words.ts'

/** Where a partner's link leads: takes part in somebody's session. */
export default function JoinSessionPage() {
  const { t } = useWords()
  useTitle(t('session.title'), t('session.title'))
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const me = useQuery(meQuery(api))
  const token = useLinkToken()
  const join = useMutation({
    mutationFn: () => api.send<Session>('POST', '/api/v1/sessions/join', { token }),
    onSuccess: (session) => {
      client.setQueryData(sessionQuery(api, session.id).queryKey, session)
      void navigate({ to: '/sessions/$sessionId', params: { sessionId: session.id }, replace: true })
    },
  })
  return (
    <Page title={t('session.joinTitle')}>
      {token === undefined ? (
        <p>{t('session.joinNoToken')}</p>
      ) : me.data === null ? (
        <>
          <p>{t('session.joinSignIn')}</p>
          <p>
            <LinkButton to="/sign-in">{t('nav.signIn')}</LinkButton>
          </p>
        </>
      ) : (
        <>
          <p>{t('session.joinText')}</p>
          <p>
            <Button loading={join.isPending} onClick={() => join.mutate()}>
              {t('session.join')}
            </Button>
          </p>
        </>
      )}
      {join.error === null ? null : <ProblemNotice error={join.error} />}
    </Page>
  )
}
