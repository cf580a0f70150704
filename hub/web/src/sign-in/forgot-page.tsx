import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { forgotPassword } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { siteQuery } from '../api/queries.ts'
import { CopyLine } from '../notices/copy-line.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './entrance.module.css'
import { Entrance } from './entrance.tsx'
import { looksLikeMail, useForm } from './use-form.ts'

/** Asks for a link by mail, or says who can help where the hub sends none. */
export default function ForgotPage() {
  const { t } = useTranslation()
  const api = useApi()
  const site = useQuery(siteQuery(api))
  const form = useForm({ email: '' }, (values) => (looksLikeMail(values.email) ? {} : { email: t('auth.emailBad') }))
  const ask = useMutation({ mutationFn: (values: { email: string }) => forgotPassword(api, values.email) })
  const again = useMutation({ mutationFn: (values: { email: string }) => forgotPassword(api, values.email) })
  const back = (
    <p>
      <Link to="/sign-in">{t('auth.back')}</Link>
    </p>
  )
  if (site.data?.mail === false) {
    return (
      <Entrance title={t('auth.forgotTitle')} text={t('auth.forgotNoMail')}>
        <CopyLine value="npx fernlab user reset MAIL" label={t('common.command')} />
        {back}
      </Entrance>
    )
  }
  return (
    <Entrance title={t('auth.forgotTitle')} text={t('auth.forgotText')}>
      {ask.isSuccess ? (
        <div className={styles.form}>
          <p role="status">{again.isSuccess ? t('auth.sentAgain') : t('auth.sent', { email: ask.variables.email })}</p>
          {again.error === null ? null : <ProblemNotice error={again.error} />}
          <p className={styles.links}>
            <Button variant="default" loading={again.isPending} onClick={() => again.mutate(ask.variables)}>
              {t('auth.sendAgain')}
            </Button>
            <Button
              variant="subtle"
              onClick={() => {
                ask.reset()
                again.reset()
              }}
            >
              {t('auth.otherAddress')}
            </Button>
          </p>
        </div>
      ) : (
        <form className={styles.form} noValidate onSubmit={form.onSubmit((values) => ask.mutate(values))}>
          <TextInput
            label={t('auth.email')}
            name="email"
            type="email"
            autoComplete="username"
            autoFocus
            {...form.field('email')}
          />
          {ask.error === null ? null : <ProblemNotice error={ask.error} />}
          <Button type="submit" size="md" loading={ask.isPending}>
            {t('auth.send')}
          </Button>
        </form>
      )}
      {back}
    </Entrance>
  )
}
