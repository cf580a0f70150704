import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { acceptInvitation, join, lookAtInvitation } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './entrance.module.css'
import { NewAccount } from './new-account.tsx'

type Invited = Awaited<ReturnType<typeof lookAtInvitation>>

/** An invitation's page: who invites, and an account of one's own; who has one joins the group with it. */
export default function JoinPage() {
  const { t } = useTranslation()
  const me = useQuery(meQuery(useApi()))
  return (
    <NewAccount
      kind="invitation"
      title={t('auth.join')}
      text={({ by, role, group, register }) =>
        group !== undefined && (!register || me.data)
          ? t('auth.joinGroup', { name: by, group: group.name })
          : t('auth.joinText', { name: by, role: t(`account.roles.${role}`) })
      }
      noToken={t('auth.noInvitation')}
      button={t('auth.joinButton')}
      look={lookAtInvitation}
      make={join}
      instead={({ group, register }, token) => {
        if (group !== undefined && me.data) return <WithAccount group={group} token={token} />
        return register ? undefined : <MembersOnly />
      }}
    >
      <div className={styles.links}>
        <Link to="/sign-in">{t('auth.haveAccount')}</Link>
      </div>
    </NewAccount>
  )
}

function WithAccount({ group, token }: { group: NonNullable<Invited['group']>; token: string }) {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const accept = useMutation({
    mutationFn: () => acceptInvitation(api, token),
    onSuccess: async () => {
      await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'invitation' })
      await navigate({ to: '/labs', replace: true })
    },
  })
  return (
    <>
      <p>{t('auth.joinWithAccount')}</p>
      {accept.error === null ? null : <ProblemNotice error={accept.error} />}
      <Button size="md" loading={accept.isPending} onClick={() => accept.mutate()}>
        {t('auth.joinGroupButton', { group: group.name })}
      </Button>
    </>
  )
}

function MembersOnly() {
  const { t } = useTranslation()
  return (
    <>
      <p>{t('auth.joinMembers')}</p>
      <div className={styles.links}>
        <Link to="/sign-in">{t('auth.signIn')}</Link>
      </div>
    </>
  )
}
