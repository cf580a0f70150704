import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { confirmRegistration, lookAtRegistration } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { LinkButton } from '../frame/link-button.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './entrance.module.css'
import { Entrance } from './entrance.tsx'
import { useForm } from './use-form.ts'

/** The link of a registration: who comes chooses a password and is in. */
export function ConfirmRegistration({ token }: { token: string }) {
  const { t } = useTranslation()
  const api = useApi()
  const link = useQuery({
    queryKey: ['registration', token],
    queryFn: () => lookAtRegistration(api, token),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  })
  if (link.data === undefined) {
    return (
      <Entrance title={t('auth.register')}>
        {link.error === null ? (
          <Loading />
        ) : (
          <>
            <ProblemNotice error={link.error} />
            <LinkButton to="/register">{t('auth.again')}</LinkButton>
          </>
        )}
        <Link to="/sign-in">{t('auth.back')}</Link>
      </Entrance>
    )
  }
  return (
    <Entrance title={t('auth.register')} text={t('auth.registerConfirmText', { email: link.data.email })}>
      <Confirm token={token} {...link.data} />
    </Entrance>
  )
}

function Confirm({ token, name, email }: { token: string; name: string; email: string }) {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const form = useForm({ name, password: '' }, (values) => ({
    ...(values.name.trim() === '' ? { name: t('auth.nameMissing') } : {}),
    ...(values.password.length < 10 ? { password: t('auth.passwordShort') } : {}),
  }))
  const make = useMutation({
    mutationFn: (values: { name: string; password: string }) => confirmRegistration(api, { token, ...values }),
    onSuccess: async () => {
      // The link is used up: to ask for it again would find it so.
      await client.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'registration' })
      await navigate({ to: '/labs', replace: true })
    },
  })
  return (
    <form className={styles.form} noValidate onSubmit={form.onSubmit((values) => make.mutate(values))}>
      <TextInput label={t('auth.name')} name="name" autoComplete="name" {...form.field('name')} />
      {/* For the browser, which keeps the password with the address. */}
      <input type="hidden" name="email" autoComplete="username" value={email} />
      <PasswordInput
        label={t('auth.password')}
        description={t('auth.passwordHelp')}
        name="password"
        autoComplete="new-password"
        autoFocus
        {...form.field('password')}
      />
      {make.error === null ? null : <ProblemNotice error={make.error} />}
      <Button type="submit" size="md" loading={make.isPending}>
        {t('auth.joinButton')}
      </Button>
    </form>
  )
}
