import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { signIn } from '../api/auth.ts'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { meQuery, siteQuery } from '../api/queries.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { WithPasskey } from '../passkeys/with-passkey.tsx'
import styles from './entrance.module.css'
import { Entrance } from './entrance.tsx'
import { SecondStep, type SecondStepBy } from './second-step.tsx'
import { looksLikeMail, useForm } from './use-form.ts'

/** Mail and password; then on to where the person wanted to go. */
export default function SignInPage() {
  const { t } = useTranslation()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const site = useQuery(siteQuery(api))
  const { next, left } = useSearch({ from: '/sign-in' })
  const form = useForm({ email: '', password: '' }, (values) => ({
    ...(looksLikeMail(values.email) ? {} : { email: t('auth.emailBad') }),
    ...(values.password === '' ? { password: t('field.required') } : {}),
  }))
  const [step, setStep] = useState<SecondStepBy>()
  const entered = async () => {
    await client.resetQueries()
    const me = await client.ensureQueryData(meQuery(api))
    const to = me?.mustSetUp === undefined ? safeTarget(next) : '/second-factor'
    await navigate({ to, replace: true })
  }
  const enter = useMutation({
    mutationFn: (values: { email: string; password: string }) => signIn(api, values),
    onSuccess: ({ secondFactor, by }) => (secondFactor === true ? setStep(by) : entered()),
  })
  const wrong = enter.error instanceof ApiProblem && (enter.error.status === 401 || enter.error.status === 400)
  const name = site.data?.title
  const passkeysAt = site.data?.passkeysAt
  if (step !== undefined) {
    const back = () => {
      enter.reset()
      setStep(undefined)
    }
    return <SecondStep by={step} passkeysAt={passkeysAt} onEntered={entered} onBack={back} />
  }
  return (
    <Entrance
      title={name === undefined ? t('auth.signIn') : t('auth.to', { site: name })}
      {...(site.data?.setupNeeded === true ? { text: t('auth.setupNeeded') } : {})}
    >
      {left === 'everywhere' || left === 'closed' ? (
        <p role="status">{t(left === 'closed' ? 'auth.accountClosed' : 'auth.leftEverywhere')}</p>
      ) : null}
      <form className={styles.form} noValidate onSubmit={form.onSubmit((values) => enter.mutate(values))}>
        <TextInput
          label={t('auth.email')}
          name="email"
          type="email"
          autoComplete="username"
          autoFocus
          {...form.field('email')}
        />
        <PasswordInput
          label={t('auth.password')}
          name="password"
          autoComplete="current-password"
          {...form.field('password')}
        />
        {enter.error === null ? null : wrong ? (
          <p role="alert" style={{ color: 'var(--state-fault)' }}>
            {t('auth.wrong')}
          </p>
        ) : (
          <ProblemNotice error={enter.error} />
        )}
        <Button type="submit" size="md" loading={enter.isPending}>
          {t('auth.signIn')}
        </Button>
      </form>
      {passkeysAt === undefined ? null : <WithPasskey at={passkeysAt} onEntered={entered} />}
      <p className={styles.links}>
        <Link to="/forgot">{t('auth.forgot')}</Link>
        {site.data?.registration.open === true ? <Link to="/register">{t('auth.register')}</Link> : null}
        <Link to="/labs">{t('auth.browse')}</Link>
      </p>
    </Entrance>
  )
}

/** Only a path of this page: an address from elsewhere could lead a person away right after sign-in. */
export const safeTarget = (next: string | undefined): string =>
  next !== undefined && /^\/(?![/\\])/.test(next) ? next : '/labs'
