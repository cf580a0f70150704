import { Button } from '@mantine/core'
import { IconLogout } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { signOut } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './account.module.css'
import { Tokens } from './tokens.tsx'

/** Who I am here, my API tokens, and the way out. */
export default function AccountPage() {
  const { t } = useWords()
  useTitle(t('account.title'))
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const me = useQuery(meQuery(api))
  const leave = useMutation({
    mutationFn: () => signOut(api),
    onSuccess: async () => {
      await navigate({ to: '/sign-in' })
      client.clear()
    },
  })
  return (
    <Page
      title={t('account.title')}
      aside={
        <Button
          variant="default"
          loading={leave.isPending}
          leftSection={<IconLogout size={16} aria-hidden="true" />}
          onClick={() => leave.mutate()}
        >
          {t('nav.signOut')}
        </Button>
      }
    >
      {leave.error === null ? null : <ProblemNotice error={leave.error} />}
      {me.data == null ? null : (
        <dl className={styles.me}>
          <div>
            <dt>{t('account.person')}</dt>
            <dd>{me.data.name}</dd>
          </div>
          <div>
            <dt>{t('account.email')}</dt>
            <dd>{me.data.email}</dd>
          </div>
          <div>
            <dt>{t('account.role')}</dt>
            <dd>{t(`account.roles.${me.data.role}`)}</dd>
          </div>
        </dl>
      )}
      <Tokens role={me.data?.role} />
    </Page>
  )
}
