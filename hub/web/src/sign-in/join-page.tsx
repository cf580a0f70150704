import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { join, lookAtInvitation } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './entrance.module.css'
import { Entrance } from './entrance.tsx'
import { looksLikeMail, useForm } from './use-form.ts'
import { useLinkToken } from './use-link-token.ts'

/** An invitation's page: who invites, and an account of one's own. */
export default function JoinPage() {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const token = useLinkToken()
  const invited = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => lookAtInvitation(api, token ?? ''),
    enabled: token !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  })
  const form = useForm({ name: '', email: '', password: '' }, (values) => ({
    ...(values.name.trim() === '' ? { name: t('auth.nameMissing') } : {}),
    ...(looksLikeMail(values.email) ? {} : { email: t('auth.emailBad') }),
    ...(values.password.length < 10 ? { password: t('auth.passwordShort') } : {}),
  }))
  const create = useMutation({
    mutationFn: (values: { name: string; email: string; password: string }) =>
      join(api, { ...values, token: token ?? '' }),
    onSuccess: async () => {
      // The place has just been taken: to ask for the invitation again may find it used up.
      await client.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'invitation' })
      await navigate({ to: '/labs', replace: true })
    },
  })
  if (token === undefined) {
    return (
      <Entrance title={t('auth.join')} text={t('auth.noInvitation')}>
        <Link to="/sign-in">{t('auth.back')}</Link>
      </Entrance>
    )
  }
  if (invited.data === undefined) {
    return (
      <Entrance title={t('auth.join')}>
        {invited.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={invited.error} onRetry={() => void invited.refetch()} />
        )}
        <Link to="/sign-in">{t('auth.back')}</Link>
      </Entrance>
    )
  }
  const { by, role } = invited.data
  return (
    <Entrance title={t('auth.join')} text={t('auth.joinText', { name: by, role: t(`account.roles.${role}`) })}>
      <form className={styles.form} noValidate onSubmit={form.onSubmit((values) => create.mutate(values))}>
        <TextInput label={t('auth.name')} name="name" autoComplete="name" autoFocus {...form.field('name')} />
        <TextInput label={t('auth.email')} name="email" type="email" autoComplete="username" {...form.field('email')} />
        <PasswordInput
          label={t('auth.password')}
          description={t('auth.passwordHelp')}
          name="password"
          autoComplete="new-password"
          {...form.field('password')}
        />
        {create.error === null ? null : <ProblemNotice error={create.error} />}
        <Button type="submit" size="md" loading={create.isPending}>
          {t('auth.joinButton')}
        </Button>
        <div className={styles.links}>
          <Link to="/sign-in">{t('auth.haveAccount')}</Link>
        </div>
      </form>
    </Entrance>
  )
}
