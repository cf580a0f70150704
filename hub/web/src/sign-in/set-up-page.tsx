import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { checkSetupLink, setUp } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './entrance.module.css'
import { Entrance } from './entrance.tsx'
import { looksLikeMail, useForm } from './use-form.ts'
import { useLinkToken } from './use-link-token.ts'

/** The one-time link's page: the first admin. */
export default function SetUpPage() {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const token = useLinkToken()
  const link = useQuery({
    queryKey: ['set-up link', token],
    queryFn: () => checkSetupLink(api, token ?? '').then(() => true),
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
      setUp(api, { ...values, token: token ?? '' }),
    onSuccess: async () => {
      // The link has just been used up: to ask for it again would find it so.
      await client.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'set-up link' })
      await navigate({ to: '/labs', replace: true })
    },
  })
  if (token === undefined) {
    return (
      <Entrance title={t('auth.setUp')} text={t('auth.noToken')}>
        <Link to="/sign-in">{t('auth.back')}</Link>
      </Entrance>
    )
  }
  if (link.data === undefined) {
    return (
      <Entrance title={t('auth.setUp')}>
        {link.error === null ? <Loading /> : <ProblemNotice error={link.error} onRetry={() => void link.refetch()} />}
        <Link to="/sign-in">{t('auth.back')}</Link>
      </Entrance>
    )
  }
  return (
    <Entrance title={t('auth.setUp')} text={t('auth.setUpText')}>
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
          {t('auth.create')}
        </Button>
      </form>
    </Entrance>
  )
}
