import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { register } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { siteQuery } from '../api/queries.ts'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { ConfirmRegistration } from './confirm-registration.tsx'
import styles from './entrance.module.css'
import { Entrance } from './entrance.tsx'
import { looksLikeMail, useForm } from './use-form.ts'
import { useLinkToken } from './use-link-token.ts'

/** An account without an invitation: first the letter, then, from its link, the password. */
export default function RegisterPage() {
  const { t } = useTranslation()
  const api = useApi()
  const site = useQuery(siteQuery(api))
  const token = useLinkToken()
  if (token !== undefined) return <ConfirmRegistration token={token} />
  const registration = site.data?.registration
  return (
    <Entrance
      title={t('auth.register')}
      {...(registration === undefined
        ? {}
        : { text: t(registration.open ? 'auth.registerText' : 'auth.registerClosed') })}
    >
      {registration === undefined ? (
        site.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={site.error} onRetry={() => void site.refetch()} />
        )
      ) : registration.open ? (
        <AskForLink domains={registration.domains} />
      ) : null}
      <p className={styles.links}>
        <Link to="/sign-in">{t('auth.haveAccount')}</Link>
      </p>
    </Entrance>
  )
}

function AskForLink({ domains }: { domains: readonly string[] }) {
  const { t, i18n } = useTranslation()
  const api = useApi()
  const form = useForm({ name: '', email: '' }, (values) => ({
    ...(values.name.trim() === '' ? { name: t('auth.nameMissing') } : {}),
    ...(looksLikeMail(values.email) ? {} : { email: t('auth.emailBad') }),
  }))
  const ask = useMutation({ mutationFn: (values: { name: string; email: string }) => register(api, values) })
  const again = useMutation({ mutationFn: (values: { name: string; email: string }) => register(api, values) })
  if (ask.isSuccess) {
    return (
      <div className={styles.form}>
        <p role="status">
          {again.isSuccess ? t('auth.sentAgain') : t('auth.registerSent', { email: ask.variables.email })}
        </p>
        {again.error === null ? null : <ProblemNotice error={again.error} />}
        <Button variant="default" loading={again.isPending} onClick={() => again.mutate(ask.variables)}>
          {t('auth.sendAgain')}
        </Button>
      </div>
    )
  }
  const places = new Intl.ListFormat(i18n.language, { type: 'disjunction' }).format(domains)
  return (
    <form className={styles.form} noValidate onSubmit={form.onSubmit((values) => ask.mutate(values))}>
      <TextInput label={t('auth.name')} name="name" autoComplete="name" autoFocus {...form.field('name')} />
      <TextInput
        label={t('auth.email')}
        {...(domains.length === 0 ? {} : { description: t('auth.registerFrom', { domains: places }) })}
        name="email"
        type="email"
        autoComplete="username"
        {...form.field('email')}
      />
      {ask.error === null ? null : <ProblemNotice error={ask.error} />}
      <Button type="submit" size="md" loading={ask.isPending}>
        {t('auth.registerSend')}
      </Button>
    </form>
  )
}
