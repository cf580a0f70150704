import { Button, PasswordInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { resetPassword } from '../api/auth.ts'
import { useApi } from '../api/context.tsx'
import { LinkButton } from '../frame/link-button.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './entrance.module.css'
import { Entrance } from './entrance.tsx'
import { useForm } from './use-form.ts'
import { useLinkToken } from './use-link-token.ts'

/** The page of a reset link: a new password. */
export default function ResetPage() {
  const { t } = useTranslation()
  const api = useApi()
  const token = useLinkToken()
  const form = useForm({ password: '' }, (values) =>
    values.password.length < 10 ? { password: t('auth.passwordShort') } : {},
  )
  const save = useMutation({
    mutationFn: (values: { password: string }) => resetPassword(api, { token: token ?? '', ...values }),
  })
  if (token === undefined) {
    return (
      <Entrance title={t('auth.reset')} text={t('auth.noResetToken')}>
        <LinkButton to="/forgot">{t('auth.again')}</LinkButton>
      </Entrance>
    )
  }
  return (
    <Entrance title={t('auth.reset')}>
      {save.isSuccess ? (
        <>
          <p role="status">{t('auth.resetDone')}</p>
          <LinkButton to="/sign-in" size="md">
            {t('auth.signIn')}
          </LinkButton>
        </>
      ) : (
        <form className={styles.form} noValidate onSubmit={form.onSubmit((values) => save.mutate(values))}>
          <PasswordInput
            label={t('auth.newPassword')}
            description={t('auth.passwordHelp')}
            name="password"
            autoComplete="new-password"
            autoFocus
            {...form.field('password')}
          />
          {save.error === null ? null : <ProblemNotice error={save.error} />}
          <Button type="submit" size="md" loading={save.isPending}>
            {t('auth.save')}
          </Button>
        </form>
      )}
      {save.isSuccess ? null : (
        <p>
          <Link to="/sign-in">{t('auth.back')}</Link>
        </p>
      )}
    </Entrance>
  )
}
